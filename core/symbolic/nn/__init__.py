"""`torch.nn`: modules, containers, layers and initialisers."""
