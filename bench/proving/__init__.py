"""The proof of memory predictions: what is predicted, held against what torch really takes.

case         one step, predicted and measured
small        hundreds of random specs, on real tensors
full_size    the real sizes, on fake tensors
beside       this model's bytes beside those of another implementation
page         what docs/accuracy.md says of them
"""
