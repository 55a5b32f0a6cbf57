"""What `--filter` says: which settings are looked at."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from attrs import frozen

from tttdit.checker.memory.settings import Outlook
from tttdit.checker.memory.surveying import Survey
from tttdit.core.errors import UsageError
from tttdit.core.spec.wording import nearest

FITS = "fits"
_WORDS = {"true": True, "false": False}


@frozen
class Filter:
    """Values that keys of `[memory]` may have, and whether a setting fits, each by `fits`; a key that is not named may have any."""

    allowed: Mapping[str, tuple[bool | int, ...]]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Filter:
        """What the options say, each `KEY=VALUE`. Raises UsageError for one that does not."""
        allowed: dict[str, tuple[bool | int, ...]] = {}
        for text in texts:
            key, equals, value = (part.strip() for part in text.partition("="))
            key = key.removeprefix("memory.")
            is_number = value.isascii() and value.isdecimal()
            if not equals or not key or not (is_number or value in _WORDS):
                raise UsageError(f'--filter takes KEY=VALUE, such as attention=true or fits=true, not "{text}"')
            if key == FITS and is_number:
                raise UsageError(f'--filter fits takes true or false, not "{value}"')
            allowed[key] = (*allowed.get(key, ()), int(value) if is_number else _WORDS[value])
        return cls(allowed)

    def refuse_unknown(self, keys: Collection[str]) -> None:
        """Raises UsageError for a key that no setting has."""
        for key in self.allowed:
            if key != FITS and key not in keys:
                near = nearest(key, [*keys, FITS])
                meant = f"; did you mean {near}?" if near else ""
                raise UsageError(f'--filter: settings have no key "{key}"{meant} (they have {", ".join(keys)}, {FITS})')

    def passed(self, survey: Survey) -> tuple[Outlook, ...]:
        """The outlooks that a filter lets through, of those in the survey's space."""
        return tuple(one for one in survey.outlooks if self._passes(one, survey))

    def _passes(self, outlook: Outlook, survey: Survey) -> bool:
        return all(
            (survey.fits(outlook) if key == FITS else outlook.setting.values.get(key)) in values
            for key, values in self.allowed.items()
        )
