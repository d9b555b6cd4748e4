"""A real Slurm of one node, for as long as a test runs: controller and node daemon as root, without systemd.

Debian's packages `slurm-wlm` and `munge` are needed. It has queues and jobs of its own; what else runs on the machine
is not touched.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scontrol", "squeue")
SECONDS = 60.0
_CONFIGURATION = """
ClusterName=local
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={munge}/socket
SlurmctldPort={controller}
SlurmdPort={node}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SlurmdParameters=config_overrides
KillWait=2
JobRequeue=1
SchedulerParameters=sched_interval=2,batch_sched_delay=0
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=4000 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def why_not() -> str:
    """Why no Slurm can be started here; empty where it can."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [name for name in NEEDED if shutil.which(name, path=path) is None]
    if missing:
        return f"no {', '.join(missing)} here (apt-get install slurm-wlm munge)"
    return "" if os.geteuid() == 0 else "a Slurm of one's own is started as root"


@contextmanager
def real_slurm(folder: Path) -> Iterator[dict[str, str]]:
    """Start it, with its files in a folder; gives what its commands need in their environment."""
    folder.mkdir(parents=True)
    munge = Path(tempfile.mkdtemp(prefix="munge-"))
    host = socket.gethostname().partition(".")[0]
    ports = {"controller": _free_port(), "node": _free_port()}
    configuration = folder / "slurm.conf"
    configuration.write_text(_CONFIGURATION.format(host=host, folder=folder, munge=munge, **ports).lstrip())
    for name in ("state", "spool"):
        (folder / name).mkdir()
    env = os.environ | {"SLURM_CONF": str(configuration), "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    with ExitStack() as stack:
        stack.enter_context(_munge(munge, env))
        stack.enter_context(_daemon(["slurmctld", "-D"], folder, env))
        stack.enter_context(_daemon(["slurmd", "-D", "-N", host], folder, env))
        _wait_for_node(env)
        yield {"SLURM_CONF": env["SLURM_CONF"], "PATH": env["PATH"]}


@contextmanager
def _munge(folder: Path, env: dict[str, str]) -> Iterator[None]:
    """Slurm's authentication, by a key and a socket of its own."""
    owner = pwd.getpwnam("munge")
    key = folder / "key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    for path in (folder, key):
        os.chown(path, owner.pw_uid, owner.pw_gid)
    folder.chmod(0o755)
    command = ["munged", "--foreground", "--force"]
    command += [f"--{what}={folder}/{what}" for what in ("socket", "pid-file", "log-file", "seed-file")]
    with _daemon([*command, f"--key-file={key}"], folder, env, user="munge"):
        _wait((folder / "socket").exists, "munged makes no socket")
        yield
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _daemon(command: list[str], folder: Path, env: dict[str, str], user: str | None = None) -> Iterator[None]:
    log = (folder / f"{command[0]}.out").open("wb")
    process = subprocess.Popen(command, env=env, stdout=log, stderr=log, user=user, start_new_session=True)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def _wait_for_node(env: dict[str, str]) -> None:
    def is_idle() -> bool:
        command = ["sinfo", "--noheader", "--format=%t"]
        found = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        return found.stdout.strip() == "idle"

    _wait(is_idle, "the node does not become idle")


def _wait(holds, otherwise: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(otherwise)
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
