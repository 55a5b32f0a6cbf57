"""The proof: what a stage's model does on torch, beside what the symbolic world believes.

steps        one training step on real tensors
rank         one rank's step with FSDP2 and AdamW, measured
comparing    the first operator, parameter or gradient where the worlds part
fakes        what custom operators' fakes promise, beside what their bodies give
regions      saved and peak bytes, region by region, beside those that are predicted
holding      what one world still holds when the other has let it go
"""
