"""The messages of the chain that the mock reads, as protobuf defines them.

Written out here instead of taken from a client's package: a client that encodes a field wrongly must not be understood
by the same mistake. Fields the mock does not look at are left out; protobuf skips them. The definitions are those of
https://github.com/dydxprotocol/v4-chain/tree/main/proto/dydxprotocol/clob and
https://github.com/cosmos/cosmos-sdk/tree/main/proto/cosmos/tx/v1beta1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

__all__ = ["MESSAGES", "DecodeError", "decode"]

_PACKAGE = "mock"
_TYPES = {
    "bytes": Field.TYPE_BYTES,
    "string": Field.TYPE_STRING,
    "uint32": Field.TYPE_UINT32,
    "uint64": Field.TYPE_UINT64,
    "int32": Field.TYPE_INT32,
    "fixed32": Field.TYPE_FIXED32,
    "bool": Field.TYPE_BOOL,
}
# One line per message: "type name = number"; a star repeats, a bar joins the members of a choice.
_DEFINITIONS: Mapping[str, str] = {
    "Any": "string type_url = 1; bytes value = 2",
    "TxRaw": "bytes body_bytes = 1; bytes auth_info_bytes = 2; bytes* signatures = 3",
    "SignDoc": "bytes body_bytes = 1; bytes auth_info_bytes = 2; string chain_id = 3; uint64 account_number = 4",
    "TxBody": "Any* messages = 1; string memo = 2; uint64 timeout_height = 3",
    "AuthInfo": "SignerInfo* signer_infos = 1",
    "SignerInfo": "Any public_key = 1; ModeInfo mode_info = 2; uint64 sequence = 3",
    "ModeInfo": "ModeSingle single = 1",
    "ModeSingle": "int32 mode = 1",
    "PubKey": "bytes key = 1",
    "SubaccountId": "string owner = 1; uint32 number = 2",
    "OrderId": (
        "SubaccountId subaccount_id = 1; fixed32 client_id = 2; uint32 order_flags = 3; uint32 clob_pair_id = 4"
    ),
    "Order": (
        "OrderId order_id = 1; int32 side = 2; uint64 quantums = 3; uint64 subticks = 4; uint32| good_til_block = 5;"
        " fixed32| good_til_block_time = 6; int32 time_in_force = 7; bool reduce_only = 8; uint32 client_metadata = 9;"
        " int32 condition_type = 10; uint64 conditional_order_trigger_subticks = 11"
    ),
    "MsgPlaceOrder": "Order order = 1",
    "MsgCancelOrder": "OrderId order_id = 1; uint32| good_til_block = 2; fixed32| good_til_block_time = 3",
    "OrderBatch": "uint32 clob_pair_id = 1; uint32* client_ids = 2",
    "MsgBatchCancel": "SubaccountId subaccount_id = 1; OrderBatch* short_term_cancels = 2; uint32 good_til_block = 3",
}


def _file() -> FileDescriptorProto:
    file = FileDescriptorProto(name="mock.proto", package=_PACKAGE, syntax="proto3")
    for name, text in _DEFINITIONS.items():
        message = file.message_type.add(name=name)
        for line in text.split(";"):
            kind, field_name, _, number = line.split()
            field = message.field.add(name=field_name, number=int(number), label=Field.LABEL_OPTIONAL)
            word = kind.rstrip("*|")
            if word in _TYPES:
                field.type = _TYPES[word]
            else:
                field.type, field.type_name = Field.TYPE_MESSAGE, f".{_PACKAGE}.{word}"
            if kind.endswith("*"):
                field.label = Field.LABEL_REPEATED
            if kind.endswith("|"):
                if not message.oneof_decl:
                    message.oneof_decl.add(name="good_til")
                field.oneof_index = 0
    return file


def _classes() -> dict[str, Any]:
    # A pool of its own: a client's package in the same process has its definitions in the common one.
    pool = DescriptorPool()
    pool.Add(_file())
    return {name: GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _DEFINITIONS}


MESSAGES: Mapping[str, Any] = _classes()


def decode(name: str, data: bytes) -> Any:  # noqa: ANN401 - protobuf makes the class at run time
    """Return the message `name` that `data` encodes. Raises DecodeError when it does not."""
    return MESSAGES[name].FromString(data)
