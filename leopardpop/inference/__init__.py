"""Engines that turn a log posterior into draws: Laplace with importance sampling, and NUTS.

`target` says what a log posterior must offer, `mode` finds its peaks, `proposal` draws near them, `psis` judges the
weights, `laplace` puts the four together with NumPy alone. `generic` and `nuts` serve any PyMC model; `convergence`
puts every verdict in one table.
"""
