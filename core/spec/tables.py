"""The tables of a spec that belong to no plugin, and what the tables of plugins are made from.

What is derived (latent frames, grids, tokens, mini-batches) is computed, never written, so no table has a field for it.
"""

from tttdit.core.spec.either_or import EITHER_OR, EitherOr
from tttdit.core.spec.fields import Count, Dimension, Dtype, Fraction, LearningRate, Text
from tttdit.core.spec.run_tables import (
    CheckpointTable,
    Gpu,
    HardwareTable,
    OptimizerTable,
    ParallelismTable,
    Schedule,
    TrainingTable,
)
from tttdit.core.spec.sample_tables import TextTable, VideoTable
from tttdit.core.spec.sampler_table import SamplerTable
from tttdit.core.spec.table import PluginTable, Table

# The tables that belong to no plugin, by their names in a spec.
BASE_TABLES: dict[str, type[Table]] = {
    "video": VideoTable,
    "text": TextTable,
    "training": TrainingTable,
    "optimizer": OptimizerTable,
    "parallelism": ParallelismTable,
    "hardware": HardwareTable,
    "checkpoint": CheckpointTable,
}

__all__ = [
    "BASE_TABLES",
    "EITHER_OR",
    "CheckpointTable",
    "Count",
    "Dimension",
    "Dtype",
    "EitherOr",
    "Fraction",
    "Gpu",
    "HardwareTable",
    "LearningRate",
    "OptimizerTable",
    "ParallelismTable",
    "PluginTable",
    "SamplerTable",
    "Schedule",
    "Table",
    "Text",
    "TextTable",
    "TrainingTable",
    "VideoTable",
]
