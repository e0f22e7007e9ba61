"""Files, memory, progress and other things that know nothing of PET."""
