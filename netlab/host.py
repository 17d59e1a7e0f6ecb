"""The lab host: reads facts with the real tools, runs commands, and waits for what time heals."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import tenacity

import netlab.facts as parse
from netlab import processes
from netlab.batch import Group, Wave, waves
from netlab.errors import CommandFailed
from netlab.events import Event, Process, Retried
from netlab.fence import NOT_SENT, Fence
from netlab.model import Command, Facts, Link, Namespaces, Observation, Performed, Proof, Query, Result, Stack
from netlab.probing import Probing
from netlab.processes import Job, Shells
from netlab.programs import find
from netlab.proofs import HOST, address_of
from netlab.reading import SHOW_STACK, jobs_for, namespaces, parsed, told
from netlab.retries import heals
from netlab.services import Services

LINK_GROUP = "28268"
"""A link group that nobody uses, so that many links can be deleted at once; it is looked at before it is deleted."""


class Host:
    """The lab host, real or a sandbox that this process has entered. Not for use by two threads.

    ``events`` collects what ran and what was tried again, for the engine to yield.
    """

    fence: Fence | None = None
    """What holds back, on a real machine, what must not be sent."""

    def __init__(self, services: Services) -> None:
        self.events: deque[Event] = deque()
        self._services = services
        self._shells = Shells(self._ran)
        self.known: dict[Query, Any] = {}
        """What has been read, and has not been outdated since by a command of ours."""

    def close(self) -> None:
        """End what is still waiting for work."""
        self._shells.close()

    # --- looking -----------------------------------------------------------------------------------------------------

    def facts(self, queries: Iterable[Query]) -> Facts:
        """Facts that answer ``queries``; a kind of query is read, in bulk, when the first of its kind is asked for."""
        return Facts(_Lazy(self, frozenset(queries)))

    def forget(self) -> None:
        """Whatever is known may have changed: read it again when it is asked for."""
        self.known.clear()

    def run(self, commands: Sequence[Command]) -> list[Result]:
        """Run commands that only look, side by side (a ``netlab.model.Runner``)."""
        there = [find(each.argv[0]) is not None for each in commands]
        lanes = [[Job(each.argv, each.netns)] for each, runs in zip(commands, there, strict=True) if runs]
        results = iter(self._run(lanes))
        absent = (Result(127, "", f"{each.argv[0]}: not found") for each in commands)
        return [next(results)[0] or lacks if runs else lacks for runs, lacks in zip(there, absent, strict=True)]

    def answers(self, queries: Iterable[Query]) -> Mapping[Query, Any]:
        """Read what is not known yet of ``queries``, in one go, and return all that is known."""
        asked = sorted(set(queries) - self.known.keys())
        if any(query.kind == "namespaces" or query.netns for query in asked):
            self.known.setdefault(Query("namespaces"), namespaces())
        live = self.known.get(Query("namespaces"), Namespaces()).live
        asked = [query for query in asked if query not in self.known]
        jobs = jobs_for(query for query in asked if (not query.netns or query.netns in live) and self._may_ask(query))
        # Only nft may be absent: where iptables is the old one, nobody needs it. Without another tool nothing is known.
        jobs = {job: queries for job, queries in jobs.items() if job.argv[0] != "nft" or find("nft")}
        texts = {}
        firsts = self._run([[job] for job in jobs])
        for (job, queries), (first,) in zip(jobs.items(), firsts, strict=True):
            texts.update(dict.fromkeys(queries, told(queries[0], self._looked(job, first))))
        for query in asked:
            if query.kind == "service":
                self.known[query] = self._services.running(query.key, query.netns)
            elif query.kind == "stack" and query.netns and query.netns not in live:
                self.known[query] = Stack(exists=False)
            else:
                self.known[query] = self._named(query, parsed(query, texts.get(query, "")))
        return self.known

    def _named(self, query: Query, answer: Any) -> Any:
        """iproute2 4.11 gives namespaces of other ends by number; what the lab host's numbers mean is looked up.

        Another namespace's numbers mean something in there alone (today's ip, too, has but a number for the lab host).
        """
        if query.kind != "stack" or not any(_number(each) for each in answer.links.values()):
            return answer
        names = {} if query.netns else self._numbers(query)
        links = {
            name: replace(link, peer_netns=names.get(link.peer_netns, "")) if _number(link) else link
            for name, link in answer.links.items()
        }
        return replace(answer, links=links)

    def _numbers(self, query: Query) -> dict[str, str]:
        return parse.parse_numbers(told(query, self._run([[Job(("ip", "netns", "list"))]])[0][0]))

    def _looked(self, job: Job, first: Result | None) -> Result | None:
        """What a look came to. One that met what time heals is made again."""
        if first is None or heals(job.argv[0], first) is None:
            return first
        return self._tried_again(Group((Command(job.argv, job.netns),), job.argv, job.stdin), first)[1]

    def _may_ask(self, query: Query) -> bool:
        return query.kind != "fetch" or not self._holds_back([(query.netns or HOST, address_of(query.key))])

    def _holds_back(self, sends: Sequence[tuple[str, str]]) -> bool:
        return self.fence is not None and self.fence.holds_back(sends, self._leads)

    def _leads(self, target: str) -> str:
        """The card by which the kernel would send to ``target`` now."""
        result = self._run([[Job(("ip", "-4", "route", "get", target))]])[0][0]
        return parse.parse_route_get(result.stdout) if result is not None else ""

    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        """Ask ``until`` (which reads facts) again and again for up to ``seconds``; say whether it came true."""

        def look() -> bool:
            self.forget()
            return until()

        again = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda true: not true),
            stop=tenacity.stop_after_delay(seconds),
            wait=tenacity.wait_fixed(0.05),
            retry_error_callback=lambda state: False,
        )
        return bool(again(look))

    def _run(self, lanes: Sequence[Sequence[Job]], *, chain: bool = False) -> list[list[Result | None]]:
        return self._shells.run(lanes, chain=chain) if lanes else []

    def _ran(self, job: Job, result: Result) -> None:
        self.events.append(Process(str(Command(processes.argv(job))), result.code, result.seconds))

    # --- changing ----------------------------------------------------------------------------------------------------

    def perform(self, commands: Sequence[Command], *, together: bool = True) -> Iterator[Performed]:
        """Run commands that change something, in their order; neighbours share processes.

        Raises CommandFailed for one that failed for good, and runs nothing after it.
        """
        for wave in waves(commands, together=together):
            self._outdate(wave)
            try:
                yield from self._wave(wave, together=together)
            except BaseException:
                self.forget()
                raise

    def _wave(self, wave: Wave, *, together: bool) -> Iterator[Performed]:
        if len(wave) == 1 and len(wave[0]) == 1 and (wave[0][0].sweep or wave[0][0].commands[0].serve):
            yield from self._special(wave[0][0])
            return
        lanes = [[_job(group, ride=together and group is lane[-1]) for group in lane] for lane in wave]
        for lane, outcome in zip(wave, self._run(lanes, chain=True), strict=True):
            for group, first in zip(lane, outcome, strict=True):
                result = self._healed(group, first)
                said = "" if together else result.stdout + result.stderr
                yield from (Performed(each, result.seconds, len(group.commands), said) for each in group.commands)
                if together and group is lane[-1] and _rides(group) and result is first:
                    query = Query("stack", group.netns or "")
                    self.known[query] = self._named(query, parse.parse_stack(result.stdout))
                self._note_new(group)

    def _healed(self, group: Group, first: Result | None) -> Result:
        """A group's result. Raises CommandFailed for what failed for good."""
        left, result = self._tried_again(group, first or self._once(group))
        if result.code != 0:
            raise _failure(left.failing(result.stderr), result)
        return result

    def _tried_again(self, left: Group, result: Result) -> tuple[Group, Result]:
        """From the line that failed on, a group is run again for as long as time may heal it: what is left, and its
        final result."""
        group, passing = left, heals(left.argv[0], result)

        def again() -> Result:
            nonlocal left, result
            left = left.rest(result.stderr)
            result = self._once(left)
            return result

        def say(state: tenacity.RetryCallState) -> None:
            wait = state.next_action.sleep if state.next_action else 0.0
            self.events.append(Retried(str(left.failing(result.stderr)), _said(result), state.attempt_number, wait))

        if passing is not None:
            self.events.append(Retried(str(left.failing(result.stderr)), _said(result), 1, 0.05))
            tenacity.Retrying(
                retry=tenacity.retry_if_result(lambda outcome: heals(group.argv[0], outcome) is not None),
                stop=tenacity.stop_after_delay(passing.seconds),
                wait=tenacity.wait_exponential(0.05, max=1.0),
                before_sleep=say,
                retry_error_callback=lambda state: None,
            )(again)
        return left, result

    def _once(self, group: Group) -> Result:
        return self._run([[_job(group)]])[0][0] or Result(1, "", "not run")

    def _special(self, group: Group) -> Iterator[Performed]:
        if group.sweep:
            self._sweep(group)
        else:
            result = self._services.start(group.commands[0])
            if result.code != 0:
                raise _failure(group.commands[0], result)
        yield from (Performed(command, 0.0, len(group.commands)) for command in group.commands)

    def _sweep(self, group: Group) -> None:
        """Delete many links in one pass of the kernel: as a link group that holds these and no others."""
        names = group.sweep
        lines = "".join(f"link set {name} group {LINK_GROUP}\n" for name in names)
        self._healed(replace(group, stdin=lines, lines=tuple(range(len(names))), sweep=()), None)
        look = self._run([[Job(("ip", "-o", "link", "show", "group", LINK_GROUP), group.netns)]])[0][0]
        if look is not None and parse.parse_stack(look.stdout).links.keys() == set(names):
            at_once = Command(("ip", "link", "del", "group", LINK_GROUP), group.netns)
            self._healed(Group((at_once,), at_once.argv), None)
        else:
            # Somebody else uses that group number: then one by one, by name.
            lines = "".join(f"link del {name}\n" for name in names)
            self._healed(replace(group, stdin=lines, lines=tuple(range(len(names))), sweep=()), None)

    def _note_new(self, group: Group) -> None:
        """A namespace that we have just made holds a lo that is down: nothing else, so that nobody need look."""
        for command in group.commands:
            if command.argv[:3] == ("ip", "netns", "add"):
                links = {"lo": Link("lo", 1, "loopback", up=False)}
                self.known[Query("stack", command.argv[3])] = Stack(links)

    def _outdate(self, wave: Wave) -> None:
        """Forget what these commands may change. What is done in one namespace is seen there, but for what reaches out
        of it: the ends of a pair, a namespace, a server."""
        groups = [group for lane in wave for group in lane]
        if any(_reaches_out(command) for group in groups for command in group.commands):
            self.forget()
        apart = {group.netns or "" for group in groups}
        for query in list(self.known):
            if query.netns in apart or query.kind in ("listeners", "fetch", "service"):
                del self.known[query]

    # --- observing ---------------------------------------------------------------------------------------------------

    def left_out(self, proof: Proof) -> str:
        """Why this proof is not run here; "" when it is."""
        return self.fence.left_out(proof) if self.fence is not None else ""

    def observe(self, proofs: Sequence[Proof], *, seconds: float) -> list[Observation]:
        """Run proofs' probes side by side. Those that do not pass are tried again for up to ``seconds`` (0: once).

        What the fence holds back is not sent, and so does not pass.
        """
        seen: dict[int, Observation] = {}

        def look() -> bool:
            pending = [number for number in range(len(proofs)) if number not in seen or not seen[number].ok]
            for start in range(0, len(pending), 8):
                some = []
                for number in pending[start : start + 8]:
                    if self._holds_back(proofs[number].sends):
                        seen[number] = Observation(False, NOT_SENT)
                    else:
                        some.append(number)
                seen.update(zip(some, self._probe([proofs[number] for number in some]), strict=True))
            return all(each.ok for each in seen.values())

        tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda all_ok: not all_ok),
            stop=tenacity.stop_after_delay(seconds),
            wait=tenacity.wait_fixed(0.1),
            retry_error_callback=lambda state: False,
        )(look)
        return [seen[number] for number in range(len(proofs))]

    def _probe(self, proofs: Sequence[Proof]) -> list[Observation]:
        """Side by side. What breaks this off, a signal say, ends them all."""
        probing = list[Probing]()
        try:
            probing += map(Probing, proofs)
            return [each.observation(self._seen_run) for each in probing]
        except BaseException:
            for each in probing:
                each.end()
            raise

    def _seen_run(self, argv: Sequence[str], result: Result) -> None:
        self.events.append(Process(str(Command(tuple(argv))), result.code, result.seconds))


_CHEAP = ("namespaces", "stack", "sysctl", "iptables", "chains", "service")


class _Lazy(Mapping[Query, Any]):
    """Answers that are read when a kind of query is asked for the first time, for all the queries of that kind."""

    def __init__(self, host: Host, queries: frozenset[Query]) -> None:
        self._host = host
        self._queries = queries

    def __getitem__(self, query: Query) -> Any:
        if query not in self._queries:
            raise KeyError(f"{query} was not declared by the operation that asks")
        if query in self._host.known:
            return self._host.known[query]
        # With the first look at the lab host come all those that cost next to nothing beside it.
        here = not query.netns and query.kind in _CHEAP
        alike = [
            each
            for each in self._queries
            if (here and not each.netns and each.kind in _CHEAP)
            or (each.kind == query.kind and bool(each.netns) == bool(query.netns))
        ]
        return self._host.answers(alike)[query]

    def __iter__(self) -> Iterator[Query]:
        return iter(self._queries)

    def __len__(self) -> int:
        return len(self._queries)


def _number(link: Link) -> bool:
    return link.peer_netns.startswith("#")


def _job(group: Group, *, ride: bool = False) -> Job:
    if not ride or not _rides(group):
        return Job(group.argv, group.netns, group.stdin)
    lines = group.stdin or " ".join(group.argv[1:]) + "\n"
    return Job(("ip", "-o", "-d", "-batch", "-"), group.netns, lines + SHOW_STACK)


def _reaches_out(command: Command) -> bool:
    return "netns" in command.argv or command.argv[:3] == ("ip", "link", "del") or command.argv[0] == "kill"


def _rides(group: Group) -> bool:
    """May a look at the stack ride along in its process? Entering a namespace costs more than what is done there."""
    # Not with `ip netns add`: on iproute2 4.11 the batch goes on in the new namespace.
    return group.argv[0] == "ip" and group.commands[0].argv[1] != "netns"


def _said(result: Result) -> str:
    lines = [line.strip() for line in result.stderr.splitlines() if not line.startswith("Command failed ")]
    return " ".join(filter(None, lines)) or "it said nothing"


def _failure(command: Command, result: Result) -> CommandFailed:
    return CommandFailed(
        f"a command failed with exit code {result.code}",
        details=(str(command), f"it said: {_said(result)}"),
    )
