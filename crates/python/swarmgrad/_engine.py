"""Where the points of a round are evaluated: processes of our own, or the user's engine. Values go back by the numbers of their
points, so the order in which they come does not matter."""

import json
import os
import pickle
import queue
import tempfile
import time
import traceback
from multiprocessing import connection, current_process, get_context

import numpy as np

from . import _native

#: How long anything waits before it looks for a deadline.
LOOK = 0.05


def of(workers, eval_timeout):
    """The engine of ``workers=``, None for this thread."""
    if eval_timeout is not None and not float(eval_timeout) > 0:
        raise ValueError(f"eval_timeout = {eval_timeout!r}: must be seconds, above 0")
    if isinstance(workers, Collective):
        if eval_timeout is not None:
            raise ValueError("eval_timeout: needs workers that are a number or an executor; ranks cannot give a point up")
        return Ranks(workers)
    if workers is None or workers == 1 and isinstance(workers, int) and eval_timeout is None:
        return None
    if isinstance(workers, int):
        if workers == -1:
            workers = os.cpu_count() or 1
        if workers < 1:
            raise ValueError(f"workers = {workers}: must be a number of processes, or -1 for one a core")
        return Processes(workers, eval_timeout)
    if hasattr(workers, "submit"):
        return Executor(workers, eval_timeout)
    if eval_timeout is not None:
        raise ValueError("eval_timeout: needs workers that are a number or an executor; a map cannot give a point up")
    kind = type(workers)
    if kind.__name__ == "Parallel" and kind.__module__.startswith("joblib"):
        return Map(lambda task, items: workers(_delayed(task, item) for item in items))
    if hasattr(workers, "map"):
        return Map(workers.map)
    if callable(workers):
        return Map(workers)
    raise TypeError(f"workers = {workers!r}: must be a number, a map, an executor or a pool")


def _delayed(task, item):
    return task, (item,), {}


class Task:
    """The objective as a worker runs it: a point in, a plain tuple out."""

    def __init__(self, fun, args, jac, limits, parts=False):
        self.fun, self.args, self.jac, self.limits, self.parts = fun, args, jac, limits, parts

    def __call__(self, item):
        point, wanted = item
        begin = time.perf_counter()
        try:
            answer, gradient = self.fun(point, *self.args), None
            if self.jac is True:
                answer, gradient = answer
            value = _native.parts_of(answer) if self.parts else _native.number_of(answer)
            if wanted and self.jac is not None:
                gradient = gradient if self.jac is True else self.jac(point, *self.args)
                gradient = np.asarray(gradient, dtype="float64")
                if isinstance(point, np.ndarray) and gradient.shape != point.shape:
                    raise ValueError(f"the gradient has shape {gradient.shape}, expected {point.shape}")
                gradient = gradient.tolist()
            else:
                gradient = None
            said = self.limits(point) if self.limits is not None and value == value else None
        except Exception as error:  # noqa: BLE001 - it is raised where the run is
            return None, None, None, time.perf_counter() - begin, _portable(error), traceback.format_exc()
        return value, gradient, said, time.perf_counter() - begin, None, None


def _portable(error):
    try:
        pickle.loads(pickle.dumps(error))
        return error
    except Exception:  # noqa: BLE001 - whatever its class does
        return RuntimeError(f"{type(error).__name__}: {error}")


class RemoteTraceback(Exception):
    """Where an exception came from in another process."""

    def __str__(self):
        return "\n" + self.args[0]


class Engine:
    """The loop over a driver, whatever evaluates."""

    #: Points that are taken at a time, None for as many as there are.
    capacity = None

    def drive(self, driver, fun, args, jac, limits, skip, callback):
        self.skip = skip
        self.begin(Task(fun, args, jac, limits, driver.has_parts))
        rounds = None
        while driver.ended is None:
            left = self.seconds_left(driver)
            if left is not None and left <= 0:
                driver.stop("time")
                break
            while True:
                most = 1 << 62 if self.capacity is None else self.capacity - self.busy()
                first, rows, wanted = driver.ask(most) if most > 0 else (0, (), [])
                if len(rows) == 0:
                    break
                points = driver.points(rows.ravel())
                self.submit([(first + k, (point, k in wanted)) for k, point in enumerate(points)])
            for told in self.poll(LOOK if left is None else min(LOOK, left)):
                self.tell(driver, *told)
            if callback is not None:
                best = driver.best()
                if best is not None and best[2:] != rounds and driver.outstanding == 0:
                    rounds = best[2:]
                    if self.agreed(callback(*best)):
                        driver.stop("the callback ended the run")

    def seconds_left(self, driver):
        return driver.seconds_left

    def agreed(self, ends):
        return ends

    def tell(self, driver, number, worker, answer):
        """Passes on what is known of a point: the tuple of a task, or a kind of failure and a text."""
        if len(answer) == 2:
            kind, text = answer
            driver.tell(number, float("nan"), kind, text, 0.0, worker)
            return
        value, gradient, said, seconds, error, trace = answer
        if error is None:
            driver.tell(number, value, None, None, seconds, worker, 1, gradient, said)
        elif self.skip:
            driver.tell(number, float("nan"), "rejected", f"{type(error).__name__}: {error}", seconds, worker)
        else:
            driver.stop("failures")
            raise error from RemoteTraceback(trace)

    def close(self):
        pass


class Map(Engine):
    """A function like ``map``: whole rounds."""

    def __init__(self, function):
        self.function, self.waiting = function, []

    def begin(self, task):
        self.task = task

    def submit(self, items):
        self.waiting = items

    def poll(self, _wait):
        items, self.waiting = self.waiting, []
        if not items:
            return
        answers = list(self.function(self.task, [item for _, item in items]))
        if len(answers) != len(items):
            raise ValueError(f"workers: the map returned {len(answers)} answers, expected {len(items)}")
        for (number, _), answer in zip(items, answers):
            yield number, 0, answer


class Collective:
    """``workers=Collective(comm)``: every rank of an MPI program, or of ``torch.distributed``, makes the same call, evaluates its
    share of each round and tells the others the values, 8 bytes a number whatever the number of variables. All ranks come
    to the same result. ``comm`` is a communicator of mpi4py, or the module ``torch.distributed``.

    Rank 0 keeps the record and the clock: its ``record`` and ``time_limit`` are the run's. A callback of any rank ends the run."""

    def __init__(self, comm):
        if hasattr(comm, "allgather"):
            self.rank, self.size, self._gather = comm.Get_rank(), comm.Get_size(), comm.allgather
        elif hasattr(comm, "all_gather_object"):
            self.rank, self.size = comm.get_rank(), comm.get_world_size()

            def gather(value):
                found = [None] * self.size
                comm.all_gather_object(found, value)
                return found

            self._gather = gather
        else:
            raise TypeError(f"Collective({comm!r}): must be a communicator of mpi4py or torch.distributed")
        #: Bytes of values that this rank has told the others.
        self.sent = 0

    def agree(self, value):
        """The value of rank 0, for all."""
        return self._gather(value)[0]

    def any(self, flag):
        """Whether a rank says so."""
        return any(self._gather(bool(flag)))

    def __call__(self, task, items):
        mine = [task(item) for item in items[self.rank :: self.size]]
        rows = [np.atleast_1d(answer[0]) if answer[4] is None else np.empty(0) for answer in mine]
        width = max((len(row) for row in rows), default=1) or 1
        # What is more than values is rare: gradients, constraints, exceptions.
        more = {k: answer for k, answer in enumerate(mine)
                if any(part is not None for part in (answer[1], answer[2], answer[4])) or len(rows[k]) != width}
        values = np.full((len(mine), width), np.nan)
        for k, row in enumerate(rows):
            if k not in more:
                values[k] = row
        self.sent += values.nbytes
        answers = [None] * len(items)
        for rank, (bits, width, known) in enumerate(self._gather((values.tobytes(), width, more))):
            for k, row in enumerate(np.frombuffer(bits).reshape(-1, width).tolist()):
                answers[rank + k * self.size] = known.get(k, (row if task.parts else row[0], None, None, 0.0, None, None))
        return answers


class Ranks(Map):
    """The engine of a Collective. All ranks ask for the same points, and end together."""

    def __init__(self, collective):
        super().__init__(collective)
        self.collective, self.limit, self.begun, self.folder = collective, None, None, None

    def files(self, record, resume, overwrite):
        """The paths ``record`` and ``resume`` of this rank: rank 0 writes to what it was given; the others begin with copies of what
        it holds, which are gone at the end."""
        path, data, problem = (record if resume is None else resume), None, None
        if self.collective.rank == 0 and path is not None and (resume is not None or not overwrite):
            try:
                if resume is not None or os.path.isfile(path):
                    with open(path, "rb") as file:
                        data = file.read()
            except OSError as error:
                problem = error
        data, problem, resumes = self.collective.agree((data, problem, resume is not None))
        if problem is not None:
            raise problem
        if self.collective.rank == 0:
            return record, resume
        if not data:
            return None, None
        self.folder = tempfile.TemporaryDirectory(prefix="swarmgrad-")
        copy = os.path.join(self.folder.name, "run.jsonl")
        with open(copy, "wb") as file:
            file.write(data)
        return (None, copy) if resumes else (copy, None)

    def seconds_left(self, driver):
        if self.limit is None:
            return None
        if self.begun is None:
            # Seconds before a continuation count.
            self.begun = time.monotonic() - json.loads(driver.state())["seconds"]
        return 0.0 if self.collective.agree(time.monotonic() - self.begun >= self.limit) else None

    def agreed(self, ends):
        return self.collective.any(ends)

    def close(self):
        if self.folder is not None:
            self.folder.cleanup()


class Executor(Engine):
    """What has ``submit`` and returns futures: those of the standard library, of Dask, of MPI."""

    def __init__(self, executor, timeout):
        self.executor, self.timeout = executor, timeout
        self.more = {"pure": False} if type(executor).__module__.startswith("distributed") else {}
        self.done, self.futures = queue.Queue(), {}
        size = next((n for n in (getattr(executor, name, None) for name in ("_max_workers", "num_workers")) if n), None)
        if timeout is not None:
            if not isinstance(size, int):
                raise ValueError("eval_timeout: this executor does not say how many workers it has")
            # A point begins when it is submitted only if a worker is free.
            self.capacity = size
        self.lost = 0

    def busy(self):
        return len(self.futures) + self.lost

    def begin(self, task):
        self.task = task

    def submit(self, items):
        for number, item in items:
            try:
                future = self.executor.submit(self.task, item, **self.more)
            except Exception as error:
                raise RuntimeError(f"workers: the executor takes no more points: {error}") from error
            self.futures[number] = (future, time.monotonic())
            future.add_done_callback(lambda _, number=number: self.done.put(number))

    def poll(self, wait):
        found = []
        try:
            found.append(self.done.get(timeout=wait))
            while True:
                found.append(self.done.get_nowait())
        except queue.Empty:
            pass
        for number in found:
            if number not in self.futures:
                self.lost -= 1
                continue
            future, _ = self.futures.pop(number)
            try:
                answer = future.result()
            except Exception as error:  # noqa: BLE001 - a lost worker costs its point
                if _is_sending(error):
                    raise
                answer = ("crashed", f"{type(error).__name__}: {error}")
            yield number, 0, answer
        if self.timeout is not None:
            now = time.monotonic()
            for number, (future, begun) in list(self.futures.items()):
                if now - begun > self.timeout:
                    del self.futures[number]
                    # What cannot be cancelled goes on, and holds its worker.
                    self.lost += not future.cancel()
                    yield number, 0, ("timed_out", f"no answer within {self.timeout:g} s")
            if self.lost >= self.capacity:
                raise RuntimeError("workers: every worker of the executor hangs")

    def close(self):
        for future, _ in self.futures.values():
            future.cancel()


def _is_sending(error):
    """Whether the objective could not even be sent."""
    return isinstance(error, (pickle.PicklingError, AttributeError, TypeError)) and "pickle" in str(error).lower()


def _dumps(task):
    try:
        import cloudpickle
    except ImportError:
        cloudpickle = None
    try:
        return (cloudpickle or pickle).dumps(task)
    except Exception as error:
        hint = "" if cloudpickle else "; lambdas and functions within functions need the package cloudpickle"
        raise TypeError(f"workers: the objective cannot be sent to another process ({error}){hint}") from error


def _work(pipe, data):
    """The life of a worker process."""
    import signal

    # Ctrl-C reaches the run, which ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        task = pickle.loads(data)
    except Exception as error:  # noqa: BLE001 - said where the run is
        pipe.send(("unready", f"{type(error).__name__}: {error}"))
        return
    pipe.send(("ready", ""))
    while True:
        try:
            item = pipe.recv()
        except (EOFError, OSError):
            return
        answer = task(item)
        try:
            pipe.send(answer)
        except (BrokenPipeError, OSError):
            return


class Worker:
    """A process and what it evaluates."""

    def __init__(self, context, data, place):
        self.place, self.number, self.begun, self.ready = place, None, None, False
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs, data), daemon=True)
        self.process.start()
        theirs.close()

    def end(self):
        self.pipe.close()
        self.process.kill()
        self.process.join()


class Processes(Engine):
    """So many processes of our own, spawned. One that dies or hangs costs the point that it had, and is started again."""

    def __init__(self, count, timeout):
        self.count, self.timeout, self.workers, self.items = count, timeout, [], []

    def begin(self, task):
        self.context, self.data = get_context("spawn"), _dumps(task)
        if getattr(current_process(), "_inheriting", False):
            raise RuntimeError(HINT)
        self.workers = [Worker(self.context, self.data, k) for k in range(self.count)]

    def busy(self):
        return len(self.items) + sum(worker.number is not None for worker in self.workers)

    @property
    def capacity(self):
        return 2 * self.count

    def submit(self, items):
        self.items.extend(items)
        self.feed()

    def feed(self):
        for worker in self.workers:
            if worker.ready and worker.number is None and self.items:
                number, item = self.items[0]
                try:
                    worker.pipe.send(item)
                except OSError:
                    # It is dead, which the next poll finds out; the point waits for another.
                    continue
                self.items.pop(0)
                worker.number, worker.begun = number, time.monotonic()

    def poll(self, wait):
        if self.timeout is not None:
            ends = [worker.begun + self.timeout for worker in self.workers if worker.number is not None]
            wait = max(0.0, min([wait, *(end - time.monotonic() for end in ends)]))
        ready = connection.wait([worker.pipe for worker in self.workers], wait)
        found = []
        for k, worker in enumerate(self.workers):
            if worker.pipe in ready:
                try:
                    answer = worker.pipe.recv()
                except (EOFError, OSError):
                    worker.process.join(1)
                    if not worker.ready:
                        raise RuntimeError(f"a worker died before it could begin (exit code {worker.process.exitcode}). {HINT}")
                    if worker.number is not None:
                        code = worker.process.exitcode
                        found.append((worker.number, k, ("crashed", f"its worker died (exit code {code})")))
                    self.restart(k)
                    continue
                if not worker.ready:
                    if answer[0] == "unready":
                        raise RuntimeError(f"a worker cannot read the objective: {answer[1]}. {HINT}")
                    worker.ready = True
                    continue
                found.append((worker.number, k, answer))
                worker.number = None
            elif self.timeout is not None and worker.number is not None:
                if time.monotonic() - worker.begun >= self.timeout:
                    found.append((worker.number, k, ("timed_out", f"no answer within {self.timeout:g} s")))
                    self.restart(k)
        self.feed()
        return found

    def restart(self, k):
        self.workers[k].end()
        self.workers[k] = Worker(self.context, self.data, k)

    def close(self):
        for worker in self.workers:
            worker.end()
        self.workers = []


HINT = (
    "Put what runs into `if __name__ == '__main__':`, or the objective into a module that can be imported; functions of a notebook "
    "and lambdas need the package cloudpickle."
)
