"""Small job files of the TTT video code: one that trains, one that samples."""

_NINE_SECONDS = """\
[job]
exp_name = "nine-seconds"

[model]
size = "5B"
ssm_layer = "ttt_mlp"
video_length = "9sec"
"""

TRAINING = f"""\
{_NINE_SECONDS}
[training]
adapter_method = "qkvo"
dataset_path = "/data/9s"
jsonl_paths = "/data/9s.jsonl"

[checkpoint]
init_state_dir = "/runs/3s"
"""

SAMPLING = f"""\
{_NINE_SECONDS}
[checkpoint]
init_state_dir = "/runs/9s"

[eval]
input_file = "/data/prompts.json"
output_dir = "/videos"
vae_checkpoint_path = "/weights/vae"
t5_model_dir = "/weights/t5"
sampling_num_frames = 37
txt_maxlen = 502
"""
