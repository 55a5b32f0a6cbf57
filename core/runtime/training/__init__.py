"""Trains a checked spec, stage after stage.

curriculum   stages in their order, each from the last checkpoint of the one before
stage_run    the steps of one stage: resuming, saving, validating
step         one optimizer step, over its micro-steps
drawing      levels, noise and dropped texts
schedules    learning rates
optimizing   AdamW and its groups of parameters
averaging    the moving average of the weights
starting     a stage's model over the ranks, with its first values
state        what a checkpoint holds
saving       when it is written
calibrating  two steps, measured component by component
lost         which rank does not answer, by the others' pulse
pulse        counting, so that the others know
failures     whatever ends a run, as one line of a kind
validating   the loss on samples that are held out
stopping     signals: the last finished step is saved, whatever the step at work does
reporting    events, metrics, the log, the progress
world        the ranks of a launch
"""
