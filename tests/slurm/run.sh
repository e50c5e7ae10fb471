#!/bin/bash
# Runs the bundled study through Slurm on this machine, like a user, and compares the results with those of
# one process: an array of four jobs, one of which is killed and requeued, and the job that joins them.
#
#   tests/slurm/run.sh [BINARY]
#
# It needs root, to install slurm-wlm and munge from Debian and to start them.
#
# The cluster has two nodes, both on this machine; if slurmd cannot run twice, one node with two cores.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
surmise=$(realpath "${1:-$root/target/release/surmise}")
need() { command -v "$1" >/dev/null; }
if ! need slurmctld || ! need slurmd || ! need munged || ! need sbatch; then
    apt-get install -y --no-install-recommends slurm-wlm slurm-wlm-basic-plugins munge >/dev/null
fi

work=$(mktemp -d)
pids=()
finish() {
    status=$?
    kill "${pids[@]}" 2>/dev/null || true
    wait "${pids[@]}" 2>/dev/null || true
    if [ $status -ne 0 ]; then
        tail -n 20 "$work"/*.log "$work"/study-log/*.txt 2>/dev/null || true
        echo "FAILED; the files are in $work"
    else
        rm -rf "$work"
    fi
}
trap finish EXIT
chmod 755 "$work"

# Munge with its own key and socket.
dd if=/dev/urandom of="$work/munge.key" bs=128 count=1 status=none
chmod 600 "$work/munge.key"
munged --foreground --force --key-file="$work/munge.key" --socket="$work/munge.socket" \
    --pid-file="$work/munged.pid" --log-file="$work/munged.log" --seed-file="$work/munged.seed" \
    2>>"$work/munged.log" &
pids+=($!)

host=$(hostname -s)
write_conf() { # number of nodes
    mkdir -p "$work/state" "$work/spool-n1" "$work/spool-n2"
    cat >"$work/slurm.conf" <<CONF
ClusterName=surmise
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=17817
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket
CredType=cred/munge
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool-%n
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd-%n.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=5,bf_interval=5
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
KillWait=2
InactiveLimit=0
MinJobAge=600
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
CONF
    if [ "$1" = 2 ]; then
        cat >>"$work/slurm.conf" <<CONF
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=17001 CPUs=1 RealMemory=2000 State=UNKNOWN
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=17002 CPUs=1 RealMemory=2000 State=UNKNOWN
PartitionName=main Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
CONF
    else
        cat >>"$work/slurm.conf" <<CONF
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=17001 CPUs=2 RealMemory=4000 State=UNKNOWN
PartitionName=main Nodes=n1 Default=YES MaxTime=INFINITE State=UP
CONF
    fi
}
export SLURM_CONF=$work/slurm.conf

start() { # number of nodes
    write_conf "$1"
    slurmctld -D -c >/dev/null 2>&1 &
    local control=$!
    local daemons=("$control")
    for node in n1 n2; do
        [ "$node" = n2 ] && [ "$1" = 1 ] && continue
        slurmd -D -N $node >/dev/null 2>&1 &
        daemons+=($!)
    done
    for _ in $(seq 60); do
        [ "$(sinfo -h -N -o %T 2>/dev/null | grep -c idle)" = "$1" ] && pids+=("${daemons[@]}") && return 0
        sleep 0.5
    done
    kill "${daemons[@]}" 2>/dev/null || true
    wait "${daemons[@]}" 2>/dev/null || true
    return 1
}
if start 2; then
    echo "a cluster of two nodes"
elif start 1; then
    echo "slurmd does not run twice on this machine: one node with two cores"
else
    echo "the cluster does not start"
    exit 1
fi

# The study through Slurm, by the script that surmise prints.
cd "$work"
"$surmise" -q init study.toml
"$surmise" -q slurm study.toml --array 4 --time 00:30:00 --mem 900M --cpus 1 >submit.sh
bash submit.sh | tee submitted.txt
array=$(grep -o 'shards: job [0-9]*' submitted.txt | grep -o '[0-9]*')
joined=$(grep -o 'report: job [0-9]*' submitted.txt | grep -o '[0-9]*')

state() { scontrol -o show job "$1" 2>/dev/null | grep -o 'JobState=[A-Z]*' | cut -d= -f2; }
# The first job of the array is killed while it works, and requeued.
for _ in $(seq 120); do
    [ "$(state "${array}_1")" = RUNNING ] && ls study/tasks/*/done.json >/dev/null 2>&1 && break
    sleep 0.5
done
[ "$(state "${array}_1")" = RUNNING ] || { echo "the first job of the array does not run"; exit 1; }
scontrol requeue "${array}_1"
echo "job ${array}_1 was killed after $(ls study/tasks/*/done.json | wc -l) tasks of all jobs, and requeued"

for _ in $(seq 1200); do
    [ "$(state "$joined")" = COMPLETED ] && break
    case $(state "$joined") in FAILED | CANCELLED | TIMEOUT) exit 1 ;; esac
    sleep 1
done
[ "$(state "$joined")" = COMPLETED ] || { echo "the job that joins did not end"; exit 1; }
restarts=$(scontrol -o show job "${array}_1" | grep -o 'Restarts=[0-9]*' | cut -d= -f2)
[ "$restarts" -ge 1 ] || { echo "job ${array}_1 was not restarted"; exit 1; }

# A single process.
"$surmise" -q run study.toml -o alone >/dev/null
same=0
for file in predictions.csv observations.csv card.json $(cd alone && ls profiles/*); do
    cmp "alone/$file" "study/$file"
    same=$((same + 1))
done
echo "shards that recorded their end: $(ls study/shards/*.json | wc -l)"
echo "PASSED: $same files are equal byte for byte; job ${array}_1 was restarted $restarts time(s)"
