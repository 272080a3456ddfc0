"""A Dify on this machine: its Service API and its console, and every way of going wrong that a client must survive.

::

    with DifyServer() as dify:                                # dify.url is "http://127.0.0.1:PORT/v1"
        app = dify.add(App("legal", mode="workflow", seconds=2, pieces=40))
        requests.post(f"{dify.url}/workflows/run", headers={"Authorization": f"Bearer {app.key}"}, json=…)
        assert dify.runs[0].status == "succeeded"

``python -m devtools.dify_server`` serves apps in a process of its own; in the tests' own process it is a thread.

Statuses, codes, fields and the order of events are those of Dify 1.13.3, most of them seen at a running server; the
modules name their sources. Where no source quotes the text of an error, the text is ours: go by code and status. Two
things are not from a running 1.13.3: a stopped chatflow ends with message_end after workflow_finished (read in a
later source), and the blocking answer of a paused chatflow (ours). What only hosted variants, other versions and
proxies do is a fault or a setting.

The faults, by their names in ``App.fault`` (runs) and ``App.faults_at`` (other routes: the first table only):

====================================  ================================================================================
In the place of an answer; no run     What the client meets
====================================  ================================================================================
hang                                  nothing, not a byte, while it listens
reset_before                          RST before a byte
slow_headers                          headers byte by byte (``Pace.drip_s``); then all is well. The run has begun
silent                                200 and one ping, then silence until ``Pace.silence_s`` (blocking: as hang)
endless                               200 and a body without a newline and without an end
html_200                              200 and the page of a login
html_404                              404 and a page
502, 504                              the page of a proxy
redirect                              302 to ``App.location``, or to this server's /signin, which answers 200 HTML
500                                   500 unknown, in JSON
json_200_error                        200 and the JSON of an error in the place of a stream or of an answer
rate_limit_400                        400 invalid_param "Too many requests…": the limit of the app as it really comes
rate_limit_429                        429 too_many_requests: as the documentation has it
quota_429                             429 rate_limit_error: the plan is used up
provider_error_400                    400 completion_request_error, the text of a model's provider
provider_not_initialize               400 of this code
provider_quota_exceeded               400 of this code
model_currently_not_support           400 of this code
key_gone_401                          401 unauthorized, though the key was good before
app_gone_403                          403 forbidden
echo_key                              400 invalid_param, whose text repeats the Authorization header
====================================  ================================================================================

====================================  ================================================================================
Within a run                          What the client meets (blocking: the last column of a row in brackets)
====================================  ================================================================================
failed_run                            status failed: workflow_finished, and no event "error" [workflow: 200 with status
                                      failed; chatflow: 400 "Run failed: …"]; other modes: event "error" [400
                                      completion_request_error]
failed_then_error                     as failed_run, and a chatflow's event "error" after it: other versions of Dify
error_event                           half of the answer, then the event "error" and the end [as failed_run]
paused                                human_input_required, workflow_paused and the end [workflow: 200, paused]
cut                                   half of the answer, then the end in good order, without a last event; the run
                                      goes on and succeeds [half of the body, then FIN; so are the next three]
cut_running                           the same, but the run never ends: its status stays running
cut_fin                               the same as cut, but FIN within the chunked body
cut_at_end                            everything but the last event: a chatflow has its message_end, no status
reset                                 half of the answer, then RST; the run goes on and succeeds [the same]
garbage_event                         one data line that is no JSON among good ones [no effect]
extra_events                          events that no client needs, and one that Dify does not have [no effect]
replaced                              the answer, then message_replace (text_replace in a workflow) [that answer]
echo_key_answer                       the answer and the outputs repeat the Authorization header [the same]
echo_key_event                        a failed run whose error repeats the Authorization header [the same]
crlf                                  lines that end with CR LF [no effect]
split_utf8                            characters of several bytes cut apart by chunks [no effect]
odd_sse                               comments, id, retry, and no blank after "data:" [no effect]
close_delimited                       no chunks: the body ends where the connection does [no effect]
no_pings                              no ping at all [no effect]
====================================  ================================================================================

The console is at ``dify.root``/console/api::

    app = dify.add(App("legal", draft=simple_flow("v1", [variable("KEY", "fake-value", secret=True)])))
    dify.console.door.admin_key, dify.console.door.workspace_id      # or .email and .password
    dify.console.fail("publish", "reset_done")                       # the next publish is done, its answer is lost
    assert app.serving.value("KEY") == "fake-value"

Every app is in it. One with a ``draft`` is published at once (unless ``published=False``), and a run returns what the
graph of its version says. ``dify.console.calls`` has the names of the calls, which are in ``CONSOLE_CALLS``; a call
goes wrong once, by name and number, in one of these ways (``CONSOLE_FAULTS``):

====================================  ================================================================================
In the place of the call              What the client meets
====================================  ================================================================================
500                                   500 unknown, in JSON
timeout                               nothing, not a byte, while it listens
reset                                 RST before a byte
409                                   409 draft_workflow_not_sync
html                                  200 and the page of a login
====================================  ================================================================================

====================================  ================================================================================
After the call has been done          What the client meets
====================================  ================================================================================
500_done, timeout_done, reset_done    as above
cut                                   half of the answer, then FIN
====================================  ================================================================================
"""

from devtools.dify_server.apps import BEFORE_A_RUN, FAULTS, MODES, PLACES, WITHIN_A_RUN, App, Usage
from devtools.dify_server.console import CONSOLE_CALLS, Console
from devtools.dify_server.console_faults import CONSOLE_FAULTS
from devtools.dify_server.flows import ApiKey, Flow, simple_flow, variable
from devtools.dify_server.ledger import Request, Run, Upload
from devtools.dify_server.server import DifyServer
from devtools.dify_server.stream import Pace

__all__ = [
    "BEFORE_A_RUN",
    "CONSOLE_CALLS",
    "CONSOLE_FAULTS",
    "FAULTS",
    "MODES",
    "PLACES",
    "WITHIN_A_RUN",
    "ApiKey",
    "App",
    "Console",
    "DifyServer",
    "Flow",
    "Pace",
    "Request",
    "Run",
    "Upload",
    "Usage",
    "simple_flow",
    "variable",
]
