"""Kills runs of `minimize --exec --record` at random moments and holds what comes out against the unbroken run.

    cargo build && python3 crates/cli/tests/kills.py target/debug/swarmgrad [kills [folder]]

Eight methods, 1, 4 and 16 workers, kills in equal parts. A program of 20 ms a point notes every call. After every kill the record
must be readable to its last whole line; at the end the same command must give the unbroken run's answer to the bit, with every
evaluation in the record once, and may have paid at most the points under way at each kill: calls - evaluations <= workers x kills.
"""

import json, os, random, subprocess, sys, tempfile, time

METHODS = ["auto", "pso", "de(particles=16)", "lshade", "cma_es", "bipop_cma_es", "pso_sde(particles=32)", "polish"]
SOURCE = r"""
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <fcntl.h>
#include <unistd.h>
int main(int argc, char **argv) {
    static char line[65536];
    int calls = open(argv[1], O_WRONLY | O_APPEND | O_CREAT, 0644);
    while (fgets(line, sizeof line, stdin)) {
        double sum = 0, t;
        char *at = line, *end;
        for (t = strtod(at, &end); end != at; at = end, t = strtod(at, &end)) sum += (t - .3) * (t - .3) * (1 + t * t);
        usleep(20000);
        if (write(calls, ".", 1) != 1) return 1;
        printf("%.17g\n", sum);
        fflush(stdout);
    }
}
"""
ANSWER = ["x", "fun", "nfev", "nit", "answer", "failures", "message"]


def records(path):
    """The whole lines of a record; a torn last line is what a kill may leave."""
    if not os.path.exists(path):
        return []
    with open(path, "rb") as file:
        lines = file.read().split(b"\n")
    return [json.loads(line) for line in lines[:-1]]


def main():
    program = os.path.abspath(sys.argv[1])
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    folder = sys.argv[3] if len(sys.argv) > 3 else tempfile.mkdtemp(prefix="kills")
    os.makedirs(folder, exist_ok=True)
    os.chdir(folder)
    with open("f.c", "w") as file:
        file.write(SOURCE)
    subprocess.run(["cc", "-O1", "-o", "f", "f.c"], check=True)
    each = -(-kills // (3 * len(METHODS)))
    draw = random.Random(1)
    print(f"{'method':<24}{'workers':>8}{'kills':>7}{'evaluations':>13}{'paid twice':>12}{'allowed':>9}  answer")
    total, wrong = [0, 0, 0], 0
    for method in METHODS:
        for workers in [1, 4, 16]:
            budget = workers * 25 * each
            name = f"{method.split('(')[0]}-{workers}"
            calls = f"calls-{name}"
            size = lambda: os.path.getsize(calls) if os.path.exists(calls) else 0
            command = [program, "minimize", "--exec", f"exec ./f {calls}", "--input", "plain", "--bounds=-1:1,-2:2,0:1,-5:5"]
            command += ["-m", method, "-n", str(budget), "--seed", "3", "-w", str(workers), "--batch", "16", "--json", "--record"]
            whole = json.loads(subprocess.run([*command, f"whole-{name}"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout)
            before, done, known = size(), 0, 0
            for _ in range(each):
                child = subprocess.Popen([*command, f"broken-{name}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(draw.uniform(0.005, 0.6))
                if child.poll() is None:
                    child.kill()
                    done += 1
                child.wait()
                now = sum(line["kind"] == "evaluation" for line in records(f"broken-{name}"))
                assert now >= known, f"{name}: {known} evaluations became {now}"
                known = now
            time.sleep(0.1)
            end = subprocess.run([*command, f"broken-{name}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            result = json.loads(end.stdout) if end.returncode == 0 else {"error": end.stderr.decode()}
            counted = sum(line["kind"] == "evaluation" for line in records(f"broken-{name}"))
            paid = size() - before - counted
            same = all(result.get(field) == whole[field] for field in ANSWER) and counted == whole["nfev"]
            good = same and paid <= workers * done
            wrong += not good
            total = [a + b for a, b in zip(total, [done, paid, workers * done])]
            print(f"{method:<24}{workers:>8}{done:>7}{counted:>13}{paid:>12}{workers * done:>9}  {'equal' if same else result}", flush=True)
    print(f"{'all':<32}{total[0]:>7}{'':>13}{total[1]:>12}{total[2]:>9}  {wrong} wrong")
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main())
