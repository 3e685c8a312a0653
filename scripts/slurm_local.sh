#!/usr/bin/env bash
# A Slurm cluster of one node on this machine, to try executor=slurm with: one controller, one node, loopback addresses only.
#   scripts/slurm_local.sh start [folder]    then: export SLURM_CONF=<folder>/slurm.conf
#   scripts/slurm_local.sh stop [folder]
# Needs Debian's slurm-wlm and munge (apt-get install slurm-wlm munge) and root, as slurmd does. folder: /tmp/slurm_local.
set -euo pipefail

action=${1:-}
folder=${2:-${TMPDIR:-/tmp}/slurm_local}
export SLURM_CONF=$folder/slurm.conf

end() { # the process whose id is in the file $1, and wait until it is gone
  [ -s "$1" ] || return 0
  local id
  id=$(cat "$1")
  kill "$id" 2>/dev/null || true
  for _ in $(seq 100); do
    kill -0 "$id" 2>/dev/null || break
    sleep 0.1
  done
  rm -f "$1"
}

stop() {
  scancel --user="$(id -un)" 2>/dev/null || true
  sleep 1
  end "$folder/slurmd.pid"
  end "$folder/slurmctld.pid"
  end "$folder/munged.pid"
}

start() {
  mkdir -p "$folder/state" "$folder/spool"
  chmod 755 "$folder"
  local name memory
  name=$(hostname -s)
  memory=$(awk '/MemTotal/ {print int($2 / 1024 * 0.9)}' /proc/meminfo)
  if [ ! -s "$folder/munge.key" ]; then
    (umask 077 && dd if=/dev/urandom of="$folder/munge.key" bs=1 count=1024 status=none)
  fi
  munged --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" --pid-file="$folder/munged.pid" \
    --log-file="$folder/munged.log" --seed-file="$folder/munged.seed" 2>"$folder/munged.start.log"
  cat >"$SLURM_CONF" <<CONF
ClusterName=local
SlurmctldHost=$name(127.0.0.1)
SlurmctldPort=${SLURMCTLD_PORT:-16817}
SlurmdPort=${SLURMD_PORT:-16818}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=2
KillWait=5
ReturnToService=2
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
NodeName=$name NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$memory State=UNKNOWN
PartitionName=local Nodes=$name Default=YES MaxTime=INFINITE State=UP
CONF
  slurmctld
  slurmd
  for _ in $(seq 60); do
    if sinfo --noheader --format=%T 2>/dev/null | grep -qE '^(idle|mixed|allocated)'; then
      echo "export SLURM_CONF=$SLURM_CONF"
      return 0
    fi
    sleep 0.5
  done
  echo "error: the node did not come up in 30 seconds; see $folder/slurmctld.log and $folder/slurmd.log" >&2
  return 1
}

case $action in
  start) start ;;
  stop) stop ;;
  *)
    sed -n '2,5s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
