"""Whether a text is a job file: by what only a job has, weighed against what only a spec has.

Every file that is checked is asked about, so this looks at the beginnings of lines and parses nothing. No single word decides: a job with
a misspelled section still has its keys, and a spec with one stray section is still a spec.
"""

from __future__ import annotations

import re

_MARK = re.compile(
    r"""
    ^[ \t]*+ (?:
        \[{1,2} [ \t]*+ (?:
            (?P<job_section> job | remat | wandb | comm | eval | guider | denoiser | discretization )
          | (?P<spec_table> video | text | codec | model[ \t]*+\.[ \t]*+mixer | data | memory | hardware | sampling | logging | stage )
        ) [ \t]*+ \]
      | (?:[\w-]++[ \t]*+\.[ \t]*+)*+ (?:
            (?P<job_key> video_length | ssm_layer | ttt_base_lr | exp_name | dump_folder | adapter_method | dataset_path | jsonl_paths
                | gc_freq | lr_ssm | lr_ssm_schedule | init_state_dir | fsdp_unsharded_dtype | sampling_num_frames | txt_maxlen
                | num_denoising_steps )
          | (?P<spec_key> plugin | preset | tokens_per_segment | pixel_frames | lr_mixer )
        ) [ \t]*+ =
    )
    """,
    re.MULTILINE | re.VERBOSE,
)


def recognises(path: str, text: str) -> bool:
    """Whether more of what the text has is a job's alone than a spec's alone. Its name says nothing."""
    marks = {(match.lastgroup, match[match.lastgroup or 0]) for match in _MARK.finditer(text)}
    of_a_job = sum(group in ("job_section", "job_key") for group, _ in marks)
    return of_a_job > len(marks) - of_a_job
