"""What this machine has, for `tttdit doctor`: what people paste into an issue.

examining    all of it, as data
environment  variables that matter, without what is nobody's business
smi          what nvidia-smi says
"""
