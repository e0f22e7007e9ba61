"""A seeded fuzz driver: damaged and hostile inputs at every public entry.

    python -m fuzzing --mutations 20000 --fuzz-seed 7
    python -m fuzzing --only headers --fuzz-seed 7 --number 12

in `tests/`. Each target is a module with three functions:

    prepare(base)                 writes whole, valid inputs, once
    mutate(base, dice)            `Files` to be replaced; nothing else decides
    run(folder, attempt)          calls what a user calls, through `attempt`

A case is a target, a seed and a number; it gives the same files each time.
Cases run in a process of their own, which `watch` kills when one takes too
long or too much memory; `oracle` judges what they raise, warn and print.
"""
