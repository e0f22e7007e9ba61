"""Examples made of one scan at a time, in worker processes or by Beam."""
