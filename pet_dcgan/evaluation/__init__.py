"""A generator compared with held-out real images: scores, report."""
