"""Model families: records of components that become a likelihood when they meet data."""
