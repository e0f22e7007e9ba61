"""Numbers to what a reader sees: rows on the console, a page a run."""
