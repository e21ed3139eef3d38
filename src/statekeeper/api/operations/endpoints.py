"""Who is told: endpoints as data, and how they fare."""

from typing import Final

from statekeeper.api import examples as example
from statekeeper.api.contract import Answer, Operation, Takes, in_path_as
from statekeeper.api.endpoints import BAD_REASON, DAY, EndpointPatch, NewEndpoint, Reason, Rotation
from statekeeper.api.operations.shapes import AWAY, TEXT
from statekeeper.core.errors import (
    CannotBeOpened,
    Fault,
    InSettings,
    NameTaken,
    NoEncryptionKey,
    NotFound,
    NotYetFree,
    QueryRefused,
    TooManyEndpoints,
)
from statekeeper.store.endpoints import MAX_ENDPOINTS

_PATH: Final = "/v1/endpoints/{name}"
_NAME: Final = in_path_as("name", "The name of an endpoint or a broker.", TEXT, "crm")
_QUERY: Final = QueryRefused("query", "takes no other parameters than ")
_NONE: Final = NotFound("endpoint", "crm")
_BAD_URL: Final = Fault("url", "takes an https:// URL (http:// for a loopback host only)")
_BAD_OVERLAP: Final = Fault("overlap", "expected number >= 0.0")
_SEALED: Final = (NoEncryptionKey(), CannotBeOpened("crm"))

ENDPOINTS: Final = (
    Operation(
        method="get",
        path="/v1/endpoints",
        name="listEndpoints",
        tag="Endpoints",
        summary="All endpoints and brokers, by name",
        description="Those of the settings and those made here, with their health and with what they are owed.",
        answers={200: Answer("All of them.", example.ENDPOINTS)},
        refusals=(_QUERY, AWAY),
    ),
    Operation(
        method="get",
        path=_PATH,
        name="getEndpoint",
        tag="Endpoints",
        summary="One endpoint",
        description="Its secrets are not shown, nor what may be one in its URL.",
        parameters=(_NAME,),
        answers={200: Answer("The endpoint.", example.ENDPOINT)},
        refusals=(_QUERY, _NONE, AWAY),
    ),
    Operation(
        method="post",
        path="/v1/endpoints",
        name="createEndpoint",
        tag="Endpoints",
        summary="Make an endpoint",
        description=(
            "It is told of every session that ends from this answer on; other nodes follow within 2 s. The answer shows"
            " its `secret`, ours unless one was given, this once. Its URL must be public, or in"
            " `delivery.allowed_networks`. The name of a deleted endpoint is free some seconds later. Needs `admin`."
        ),
        takes=Takes(NewEndpoint("crm", "https://crm.example/hooks/ident", states=["completed"]), _BAD_URL),
        answers={
            201: Answer("The endpoint, with its secret.", example.SECRET_ENDPOINT, headers={"Location": "Its path."})
        },
        refusals=(
            _QUERY,
            NameTaken("crm"),
            NotYetFree("crm"),
            NoEncryptionKey(),
            TooManyEndpoints(MAX_ENDPOINTS),
            AWAY,
        ),
    ),
    Operation(
        method="patch",
        path=_PATH,
        name="changeEndpoint",
        tag="Endpoints",
        summary="Change an endpoint",
        description="A JSON merge patch (RFC 7396): what is not there stays, and null is the default. Needs `admin`.",
        parameters=(_NAME,),
        takes=Takes(EndpointPatch(rate=5, states=None), _BAD_URL, "application/merge-patch+json"),
        answers={200: Answer("The endpoint as it is now.", example.ENDPOINT)},
        refusals=(_QUERY, _NONE, InSettings("crm"), *_SEALED, AWAY),
    ),
    Operation(
        method="delete",
        path=_PATH,
        name="deleteEndpoint",
        tag="Endpoints",
        summary="Take an endpoint away",
        description=(
            "From this answer on it is not there. The callbacks that it is owed become dead and are kept, and none of"
            " them goes to an endpoint that is made under this name later, unless somebody asks for it. The name is"
            " free once all nodes have noticed, 5 s later, and all of them are dead. Needs `admin`."
        ),
        parameters=(_NAME,),
        answers={204: Answer("It is gone.")},
        refusals=(_QUERY, _NONE, InSettings("crm"), AWAY),
    ),
    Operation(
        method="post",
        path=f"{_PATH}/rotate",
        name="rotateSecret",
        tag="Endpoints",
        summary="Give an endpoint another secret",
        description=(
            "The answer shows the new `secret` this once. Those it had sign too for `overlap` seconds, a day unless"
            " said otherwise, so that the receiver can change over; 0 ends them at once. Needs `admin`."
        ),
        parameters=(_NAME,),
        takes=Takes(Rotation(overlap=DAY), _BAD_OVERLAP, required=False),
        answers={200: Answer("The endpoint, with its new secret.", example.SECRET_ENDPOINT)},
        refusals=(_QUERY, _NONE, InSettings("crm"), *_SEALED, AWAY),
    ),
    Operation(
        method="post",
        path=f"{_PATH}/enable",
        name="enableEndpoint",
        tag="Endpoints",
        summary="Let callbacks go out again",
        description="Closes the circuit as well; what is due goes out at once. Needs `admin`.",
        parameters=(_NAME,),
        answers={200: Answer("The endpoint as it is now.", example.ENDPOINT)},
        refusals=(_QUERY, _NONE, AWAY),
    ),
    Operation(
        method="post",
        path=f"{_PATH}/disable",
        name="disableEndpoint",
        tag="Endpoints",
        summary="Hold callbacks back",
        description="They wait, and use up none of their attempts, until somebody enables it. Needs `admin`.",
        parameters=(_NAME,),
        takes=Takes(Reason("the receiver is moving"), BAD_REASON, required=False),
        answers={200: Answer("The endpoint as it is now.", example.ENDPOINT)},
        refusals=(_QUERY, _NONE, AWAY),
    ),
    Operation(
        method="post",
        path=f"{_PATH}/ping",
        name="pingEndpoint",
        tag="Endpoints",
        summary="Send a test message",
        description=(
            "One signed message of type `ping`, at once and past the queue, whether the endpoint is enabled or not; it"
            " counts for nothing. Needs `admin`."
        ),
        parameters=(_NAME,),
        answers={200: Answer("What came of it: `delivered`, `failed` or `gave_up`.", example.PING)},
        refusals=(_QUERY, _NONE, CannotBeOpened("crm"), AWAY),
    ),
)
