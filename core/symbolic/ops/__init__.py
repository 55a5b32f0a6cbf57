"""The differentiable functions, family by family.

Each function checks shapes, saves what torch's derivative saves (tools/autograd/derivatives.yaml), runs its raw operators, and leaves a
node whose backward runs the raw operators of torch's formula, in the alphabetical order of the arguments' names there.
"""
