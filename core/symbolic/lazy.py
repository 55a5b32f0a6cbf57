"""Sequences whose items are made when somebody asks for them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import TypeVar, overload

T = TypeVar("T")


class Lazy(Sequence[T]):
    """A sequence that makes an item at every look."""

    @abstractmethod
    def item(self, at: int) -> T:
        """The item of this number, which is from 0 and less than the length."""

    def __iter__(self) -> Iterator[T]:
        return map(self.item, range(len(self)))

    @overload
    def __getitem__(self, at: int) -> T: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[T]: ...
    def __getitem__(self, at: int | slice) -> T | Sequence[T]:
        numbers = range(len(self))[at]
        return self.item(numbers) if isinstance(numbers, int) else [self.item(number) for number in numbers]
