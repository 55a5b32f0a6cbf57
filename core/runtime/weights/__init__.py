"""Files with weights: reading them tensor by tensor, matching their names with a model's, writing and loading them.

formats      the types of numbers and the header of a safetensors file
reading      safetensors files, and folders of them with an index
distributed  checkpoints of torch.distributed.checkpoint (DCP)
opening      which of these lies at a path
configs      what a project says of its model beside the weights
matching     which tensor of a file is which parameter of a model
writing      safetensors files, one tensor in memory at a time
replacing    new files and folders that appear whole or not at all
converting   from one file to another: what `tttdit convert-weights` does
exporting    of a run's checkpoint: what `tttdit export` writes
loading      `tttdit.load_weights`: from a file into a model
"""
