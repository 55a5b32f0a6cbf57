"""`torch.distributed.tensor` without data: what tensor-parallel plans are written with."""
