"""Where points come from beyond arrays and frames: one module a format."""
