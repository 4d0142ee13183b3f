"""Everything that is derived from draws.

`fitting` turns a model and its data into draws and `tree` puts them into one schema; `fit` is what a person holds,
`diagnostics` says whether it can be trusted, `storage` writes it and reads it back. `maximum` is the fit by maximum
likelihood, `compare` sets several fits side by side.
"""
