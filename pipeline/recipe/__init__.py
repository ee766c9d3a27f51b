"""The recipe: one YAML file is one run. Here is what is Understudy's own in it; the rest is trl's, key by key.

A recipe is flat. Its keys are the fields of `CharacterArguments`, of trl's `SFTConfig` and of trl's `ModelConfig`;
on the command line `--key value` overrides them.
"""

from pipeline.recipe.arguments import (
    OWN_KEYS,
    CharacterArguments,
    describe_keys,
    parse_character_entries,
    parse_numbers_by_kind,
)
from pipeline.recipe.checks import check_known, check_values
from pipeline.recipe.conversion import ALTERNATIVES, Alternatives, ConversionOptions
from pipeline.recipe.folders import safe_folder_name
from pipeline.recipe.reading import character_arguments, multi_character_arguments
from pipeline.recipe.value_types import check_types
from pipeline.recipe.yaml_file import line_of, output_folder, read_recipe, value_of

__all__ = [
    "ALTERNATIVES",
    "OWN_KEYS",
    "Alternatives",
    "CharacterArguments",
    "ConversionOptions",
    "character_arguments",
    "check_known",
    "check_types",
    "check_values",
    "describe_keys",
    "line_of",
    "multi_character_arguments",
    "output_folder",
    "parse_character_entries",
    "parse_numbers_by_kind",
    "read_recipe",
    "safe_folder_name",
    "value_of",
]
