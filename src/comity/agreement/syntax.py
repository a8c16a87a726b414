"""The few messages of CEL's `cel.expr` schema that rules are read from, in a private pool.

Field numbers: https://github.com/google/cel-spec/tree/master/proto/cel/expr (`syntax.proto`, `checked.proto`).
The pool is private so that programs with the whole schema (`xds-protos`) can load it beside Comity.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message

# message -> (field, number, type); `*` repeats, `?` belongs to the message's one-of, `map:` is a map from int64.
_SCHEMA: Final = {
    "ParsedExpr": (("expr", 2, "Expr"), ("source_info", 3, "SourceInfo")),
    "CheckedExpr": (("reference_map", 2, "map:Reference"), ("type_map", 3, "map:Type")),
    "SourceInfo": (("positions", 4, "map:int32"),),
    "Reference": (("overload_id", 3, "*string"),),
    "Type": (
        ("primitive", 3, "?int32"),
        ("well_known", 5, "?int32"),
        ("list_type", 6, "?ListType"),
        ("map_type", 7, "?MapType"),
    ),
    "ListType": (("elem_type", 1, "Type"),),
    "MapType": (("key_type", 1, "Type"), ("value_type", 2, "Type")),
    "Expr": (
        ("id", 2, "int64"),
        ("const_expr", 3, "?Constant"),
        ("ident_expr", 4, "?Ident"),
        ("select_expr", 5, "?Select"),
        ("call_expr", 6, "?Call"),
        ("list_expr", 7, "?CreateList"),
        ("struct_expr", 8, "?CreateStruct"),
        ("comprehension_expr", 9, "?Comprehension"),
    ),
    "Constant": (
        ("null_value", 1, "?int32"),
        ("bool_value", 2, "?bool"),
        ("int64_value", 3, "?int64"),
        ("uint64_value", 4, "?uint64"),
        ("double_value", 5, "?double"),
        ("string_value", 6, "?string"),
        ("bytes_value", 7, "?bytes"),
    ),
    "Ident": (("name", 1, "string"),),
    "Select": (("operand", 1, "Expr"), ("field", 2, "string"), ("test_only", 3, "bool")),
    "Call": (("target", 1, "Expr"), ("function", 2, "string"), ("args", 3, "*Expr")),
    "CreateList": (("elements", 1, "*Expr"), ("optional_indices", 2, "*int32")),
    "CreateStruct": (("message_name", 1, "string"),),
    "Comprehension": (
        ("iter_var", 1, "string"),
        ("iter_var2", 8, "string"),
        ("iter_range", 2, "Expr"),
        ("loop_step", 6, "Expr"),
    ),
}
_ONE_OFS: Final = {"Expr": "expr_kind", "Constant": "constant_kind", "Type": "type_kind"}
_PACKAGE: Final = "comity.cel"
_Field = descriptor_pb2.FieldDescriptorProto


def parsed_expr(content: bytes) -> Message:
    """The `ParsedExpr` in a serialized `google.protobuf.Any`; `DecodeError` if it is nested too deeply."""
    return _unwrap("ParsedExpr", content)


def checked_expr(content: bytes) -> Message:
    """The `CheckedExpr` in a serialized `google.protobuf.Any`; `DecodeError` if it is nested too deeply."""
    return _unwrap("CheckedExpr", content)


def _unwrap(name: str, content: bytes) -> Message:
    wrapped = any_pb2.Any.FromString(content)
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"{_PACKAGE}.{name}")).FromString(
        wrapped.value
    )


@cache
def _pool() -> DescriptorPool:
    schema = descriptor_pb2.FileDescriptorProto(name="comity/cel.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _SCHEMA.items():
        message = schema.message_type.add(name=name)
        if name in _ONE_OFS:
            message.oneof_decl.add(name=_ONE_OFS[name])
        for field, number, kind in fields:
            _declare(message, field, number, kind)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(schema)
    return pool


def _declare(message: Message, name: str, number: int, kind: str) -> None:
    field = message.field.add(name=name, number=number, label=_Field.LABEL_OPTIONAL)
    if kind.startswith("map:"):
        field.label = _Field.LABEL_REPEATED
        _typed(field, f"{message.name}.{_map_entry(message, name, kind.removeprefix('map:'))}")
        return
    if kind.startswith("*"):
        field.label = _Field.LABEL_REPEATED
    if kind.startswith("?"):
        field.oneof_index = 0
    _typed(field, kind.lstrip("*?"))


def _map_entry(message: Message, name: str, value: str) -> str:
    """Declares what a protobuf map is on the wire: a repeated pair, nested in `message`."""
    entry = message.nested_type.add(name="".join(part.capitalize() for part in name.split("_")) + "Entry")
    entry.options.map_entry = True
    _declare(entry, "key", 1, "int64")
    _declare(entry, "value", 2, value)
    return str(entry.name)


def _typed(field: Message, kind: str) -> None:
    if kind[0].isupper():
        field.type = _Field.TYPE_MESSAGE
        field.type_name = f".{_PACKAGE}.{kind}"
    else:
        field.type = _Field.Type.Value(f"TYPE_{kind.upper()}")
