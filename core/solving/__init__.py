"""Solving laws for one key: every value that works, without trying where a law has a structure, and the reason where there is none.

`F*h*w + S*T` divisible by `b` is `3*T + 49,950 = 0 (mod 64)` for T, whose answers are one class, T = 54 (mod 64); for b it is the divisors
of L; for the height it repeats with a period, of which one is tried. `question.py` makes equations of laws, `equations.py` solves them,
`solutions.py` is what comes out, `proofs.py` says why nothing does.
"""
