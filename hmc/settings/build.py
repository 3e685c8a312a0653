"""From a plain mapping to a frozen dataclass, with every key, type and range checked, and back."""

from __future__ import annotations

import dataclasses
import difflib
import importlib
import math
import types
import typing
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

Kind = typing.TypeVar("Kind")


class SettingsError(ValueError):
    """A setting is unknown, of the wrong type, out of range, or contradicts another. The message is for the user."""


def setting(
    default: Any = dataclasses.MISSING,
    *,
    choices: Sequence[str] = (),
    minimum: float | None = None,
    maximum: float | None = None,
    above: float | None = None,
    below: float | None = None,
    allow_custom: bool = False,
    name: bool = False,
    omit_default_from_identity: bool = False,
) -> Any:
    """A dataclass field with its limits: ``minimum``/``maximum`` are inclusive, ``above``/``below`` exclusive.

    ``choices`` lists the known words; with ``allow_custom``, a value with a colon (module:name) names a custom function instead.
    ``name``: the text names a folder or file of results, see :func:`checked_name`.
    ``omit_default_from_identity``: the setting came after the first records, and its default means what they were made with; at
    its default it is left out of the identity, so that they stay valid.
    """
    limits = {"choices": tuple(choices), "minimum": minimum, "maximum": maximum, "above": above, "below": below}
    limits |= {"allow_custom": allow_custom, "name": name, "omit_default_from_identity": omit_default_from_identity}
    if isinstance(default, (dict, list)):
        return field(default_factory=lambda: type(default)(default), metadata=limits)
    return field(default=default, metadata=limits)


def build(kind: type[Kind], values: Mapping[str, Any], *, at: str = "") -> Kind:
    """Settings of one kind from a mapping, every key, type and range checked.

    ``at`` is the dotted place of the mapping, for messages. Raises SettingsError.
    """
    if not isinstance(values, Mapping):
        raise SettingsError(f"{at or kind.__name__} must be a group of settings, got {shown(values)}; write key: value lines")
    hints = typing.get_type_hints(kind)
    fields = {entry.name: entry for entry in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for key in values:
        if key not in fields:
            raise SettingsError(f"unknown setting {shown(_dotted(at, str(key)))}{did_you_mean(str(key), fields)}")
    converted = {key: _convert(hints[key], value, _dotted(at, key), fields[key].metadata) for key, value in values.items()}
    for name, entry in fields.items():
        required = entry.default is dataclasses.MISSING and entry.default_factory is dataclasses.MISSING
        if required and name not in converted:
            raise SettingsError(f"the setting {_dotted(at, name)!r} is missing; it has no default, so give it a value")
    return kind(**converted)


def to_mapping(settings: Any) -> dict[str, Any]:
    """Plain dictionaries, lists and scalars, as in a record."""
    return {entry.name: plain(getattr(settings, entry.name)) for entry in dataclasses.fields(settings)}


def plain(value: Any) -> Any:
    """A value of :func:`to_mapping`."""
    # Most are scalars, and a plan of 5,000 cells asks for 400,000 of them.
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(entry) for entry in value]
    return to_mapping(value)


def did_you_mean(word: str, known: typing.Iterable[str]) -> str:
    """'; did you mean ...?' with the nearest known word, or the list of known ones, of many the first."""
    names = list(known)
    nearest = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    more = f" and {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else ""
    return f"; did you mean {nearest[0]!r}?" if nearest else f"; known are {', '.join(names[:MOST_SHOWN])}{more}"


def named_object(at: str, word: str) -> Any:
    """What ``word``, as module:name, names: a custom class or function. ``at`` is the setting's place, for messages.

    Raises SettingsError where there is no such module or name.
    """
    module, _, name = word.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise SettingsError(
            f"{at}={word!r} cannot be imported ({error}); write module:name, importable from where you run"
        ) from None


def shown(value: Any) -> str:
    """A value as an error shows it: in quotes where it is text, on one line, not long."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


MOST_SHOWN = 60
"""Known words that a message lists."""
LONGEST_NAME = 200
"""Characters of a name as a folder has it (ours): file systems allow 255 bytes, and files need a suffix."""


def folder_name(name: str) -> str:
    """A name as one folder: what a path could misread is written as %XX.

    >>> folder_name("a/b.c"), folder_name("..")
    ('a%2Fb.c', '%2E%2E')
    """
    quoted = urllib.parse.quote(name, safe=" ")
    return quoted.replace(".", "%2E") if set(quoted) <= {"."} else quoted


def checked_name(at: str, name: str) -> str:
    """A name that results, tables and files can carry: not empty, on one line, short, and no path.

    ``at`` is the setting's place, for messages. Raises SettingsError.
    """
    if not name.strip():
        raise SettingsError(f"{at}={shown(name)} must not be empty; give it a name, such as {at}=mine")
    if not name.isprintable():
        raise SettingsError(f"{at}={shown(name)} must not hold line breaks or other control characters; leave them out")
    if name in (".", "..") or "/" in name or "\\" in name:
        raise SettingsError(f"{at}={shown(name)} must be a name, not a path; leave out slashes and backslashes")
    length = len(folder_name(name))
    if length > LONGEST_NAME:
        written = f" ({length} as a folder's name, where others than ASCII letters take several)" if length > len(name) else ""
        raise SettingsError(
            f"{at}={shown(name)} must have at most {LONGEST_NAME} characters, got {len(name)}{written}; shorten it"
        )
    return name


def _dotted(at: str, key: str) -> str:
    return f"{at}.{key}" if at else key


def _convert(hint: Any, value: Any, at: str, limits: Mapping[str, Any]) -> Any:
    """The value as the hinted type, within its limits."""
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        if value is None:
            return None
        return _convert(next(one for one in typing.get_args(hint) if one is not type(None)), value, at, limits)
    if dataclasses.is_dataclass(hint):
        return value if isinstance(value, typing.cast(type, hint)) else build(typing.cast(type, hint), value, at=at)
    if origin is tuple:
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise SettingsError(f"{at} must be a list, got {shown(value)}; write {at}=[...]")
        inner = typing.get_args(hint)[0]
        return tuple(_convert(inner, entry, f"{at}[{place}]", limits) for place, entry in enumerate(value))
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise SettingsError(f"{at} must be a mapping, got {shown(value)}; write {at}={{key: value}}")
        inner = typing.get_args(hint)[1]
        return {str(key): _convert(inner, entry, _dotted(at, str(key)), {}) for key, entry in value.items()}
    if hint is Any:
        return _free(value, at)
    return _within(_scalar(hint, value, at), at, limits)


def _free(value: Any, at: str) -> Any:
    """A value of a free mapping, in which every number is finite: no record could hold another."""
    if isinstance(value, float) and not math.isfinite(value):
        raise SettingsError(f"{at} must be a finite number, got {shown(value)}; write one, such as {at}=0.5")
    if isinstance(value, Mapping):
        return {str(key): _free(entry, _dotted(at, str(key))) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_free(entry, f"{at}[{place}]") for place, entry in enumerate(value)]
    return value


def _scalar(hint: type, value: Any, at: str) -> Any:
    if hint is bool:
        if isinstance(value, bool):
            return value
        raise SettingsError(f"{at} must be true or false, got {shown(value)}; write one of the two")
    if hint is int:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, float) and value.is_integer():
            return int(value)
        raise SettingsError(f"{at} must be a whole number, got {shown(value)}; write one, such as {at}=1")
    if hint is float:
        # YAML 1.1, which Hydra reads, takes 1e-4 for a string.
        try:
            number = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else math.nan
        except (ValueError, OverflowError):
            number = math.nan
        if math.isfinite(number):
            return number
        raise SettingsError(f"{at} must be a finite number, got {shown(value)}; write one, such as {at}=0.5")
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise SettingsError(f"{at} must be text, got {shown(value)}; write one word, or put the text in quotes")


def _within(value: Any, at: str, limits: Mapping[str, Any]) -> Any:
    if limits.get("name"):
        return checked_name(at, value)
    choices = limits.get("choices")
    if choices and value not in choices and not (limits.get("allow_custom") and ":" in value):
        raise SettingsError(f"{at}={shown(value)} is not known{did_you_mean(value, choices)}")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        checks = (
            ("minimum", lambda limit: value >= limit, "at least"),
            ("maximum", lambda limit: value <= limit, "at most"),
            ("above", lambda limit: value > limit, "above"),
            ("below", lambda limit: value < limit, "below"),
        )
        for name, holds, words in checks:
            limit = limits.get(name)
            if limit is not None and not holds(limit):
                raise SettingsError(f"{at} must be {words} {limit:.10g}, got {value!r}; change it")
    return value
