"""What an evaluation judges, by which numbers, and its pictures."""
