"""Reader of a pickle as plain data: it calls nothing, so no code and no object of this process can be reached.

A pickle is a program: it may call any function and set attributes of what is on its stack. This reader interprets the
operations that data consist of, and records a call as a `Call`: the name of the function, and its arguments.
"""

import dataclasses
import pickletools

MARK = object()
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
VALUES = (
    *("BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1", "LONG4", "BINFLOAT", "FLOAT"),
    *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE", "BINSTRING", "SHORT_BINSTRING", "STRING"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
)
NEW = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple, "EMPTY_SET": list}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
IGNORED = ("PROTO", "FRAME")


class NotAllowed(ValueError):
    """Exception for a file that is not complete, or contains something that a file of weights does not need."""


@dataclasses.dataclass(frozen=True, slots=True)
class Name:
    """A function or class that a pickle names."""

    module: str
    name: str

    def __str__(self):
        return f"{self.module}.{self.name}"


ORDERED_DICT = Name("collections", "OrderedDict")


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Call:
    """The call of a function, which was not made."""

    function: object
    arguments: object


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Persistent:
    """A reference to data outside of the pickle, such as the numbers of a tensor."""

    identity: object


def read_pickle(file):
    """Read one pickle from a file, and leave the file after it.

    Args:
        file: an opened binary file.

    Returns:
        The content: numbers, strings, tuples, lists and dicts, with `Name`, `Call` and `Persistent`. The state that a
        pickle gives to an object is left out.

    Raises:
        NotAllowed: an operation is unknown, or the pickle is damaged.
    """
    stack, memo = [], {}

    def pop_to_mark() -> list:
        position = len(stack) - 1
        while stack[position] is not MARK:
            position -= 1
            if position < 0:
                raise NotAllowed("a mark is missing")
        found = stack[position + 1 :]
        del stack[position:]
        return found

    def container(kind):
        if not isinstance(stack[-1], kind):
            raise NotAllowed(f"it changes a {type(stack[-1]).__name__}")
        return stack[-1]

    for operation, argument, _ in pickletools.genops(file):
        name = operation.name
        if name in IGNORED:
            continue
        if name in VALUES:
            stack.append(argument)
        elif name in CONSTANTS:
            stack.append(CONSTANTS[name])
        elif name in NEW:
            stack.append(NEW[name]())
        elif name == "MARK":
            stack.append(MARK)
        elif name in TUPLES:
            count = TUPLES[name]
            stack[-count:] = [tuple(stack[-count:])]
        elif name in ("TUPLE", "LIST"):
            found = pop_to_mark()
            stack.append(tuple(found) if name == "TUPLE" else found)
        elif name == "DICT":
            stack.append(_pairs(pop_to_mark()))
        elif name in ("APPEND", "APPENDS"):
            values = pop_to_mark() if name == "APPENDS" else [stack.pop()]
            container(list).extend(values)
        elif name in ("SETITEM", "SETITEMS"):
            values = pop_to_mark() if name == "SETITEMS" else [stack.pop(-2), stack.pop()]
            container(dict).update(_pairs(values))
        elif name == "GLOBAL":
            stack.append(Name(*argument.split(" ", 1)))
        elif name == "STACK_GLOBAL":
            module, attribute = stack.pop(-2), stack.pop()
            stack.append(Name(str(module), str(attribute)))
        elif name in ("REDUCE", "NEWOBJ"):
            function, arguments = stack.pop(-2), stack.pop()
            is_dict = isinstance(function, Name) and function == ORDERED_DICT and arguments == ()
            stack.append({} if is_dict else Call(function, arguments))
        elif name == "BUILD":
            stack.pop()
        elif name == "BINPERSID":
            stack.append(Persistent(stack.pop()))
        elif name in ("BINPUT", "LONG_BINPUT", "PUT"):
            memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            stack.append(memo[argument])
        elif name == "POP":
            stack.pop()
        elif name == "STOP":
            return stack.pop()
        else:
            raise NotAllowed(f"it contains the operation {name}")
    raise NotAllowed("it has no end")


def _pairs(values: list) -> dict:
    if len(values) % 2:
        raise NotAllowed("a key has no value")
    for key in values[::2]:  # computing the hash of nested tuples can take for ever
        if not isinstance(key, str | bytes | int | float | None):
            raise NotAllowed(f"a key is a {type(key).__name__}")
    return dict(zip(values[::2], values[1::2], strict=True))
