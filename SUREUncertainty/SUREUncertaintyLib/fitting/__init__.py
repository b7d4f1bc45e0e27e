"""A head that reads the uncertainty of a network that stays as it is, fitted on scans without labels."""
