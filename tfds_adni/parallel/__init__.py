"""One scan at a time, in processes or on several machines."""
