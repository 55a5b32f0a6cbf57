"""The symbolic world: a small eager torch without data, on which plugins' own modules run.

formula, dimension      integers that remember their formula
state, storage          what a thread is doing; bytes that live as long as something holds them
dtype, strides, tensor  what a tensor is
dispatch, raw           one dispatched operator: its result's shape, strides, dtype and storage
autograd, engine        nodes, what they save, and backward in the engine's order
checkpoint              torch.utils.checkpoint, non-reentrant, with early stop
sharding                FSDP2 on one rank
function                torch.autograd.Function
ops/                    the differentiable functions, family by family
nn/                     modules, layers and functional
world, loader           the namespace `torch`, and how a plugin's file is run in it
tape                    the record of a step: every operator, every allocation and its life
periods                 the record of all layers from that of a few
operands                what a custom operator was called with, for other sizes
packing, outline        a record as sums of sizes, for any number of layers; outline_text writes it down
trace                   a whole model: names and shapes of everything in it
"""
