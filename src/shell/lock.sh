# shellcheck shell=sh
# The deploy lock: a directory. `mkdir` is the atomic step. Its file `details` has who took it, in base64 as MRSK wrote it;
# its file `run` has the id of the run that holds it.

# print_lock DIRECTORY
# Prints who has the lock. It may have no details: its owner was cut off between the two steps of taking it.
print_lock() {
  { base64 -d <"$1/details" 2>/dev/null | grep ''; } || echo 'The lock has no details: the run that took it was interrupted'
}

# acquire_lock PARENT DIRECTORY ID DETAILS
# Whether another has the lock is learnt from the directory, never from the text of an error. MRSK's own lock counts too.
# Ends with LOCK_HELD and the details on standard output.
acquire_lock() (
  if [ -d "$ORIGINAL_LOCK" ]; then
    print_lock "$ORIGINAL_LOCK"
    echo "It is the lock of the original, for all services of this host: $ORIGINAL_LOCK"
    exit "$LOCK_HELD"
  fi
  mkdir -p "$1" || exit 1
  if mkdir "$2" 2>/dev/null; then
    if ! { printf '%s' "$3" >"$2/run" && printf '%s' "$4" >"$2/details"; }; then
      rm -rf "$2"
      exit 1
    fi
  elif [ -d "$2" ]; then
    print_lock "$2"
    exit "$LOCK_HELD"
  else
    mkdir "$2"
  fi
)

# print_locks DIRECTORY
# Prints the details of each lock: nothing when there is none.
print_locks() {
  if [ -d "$1" ]; then print_lock "$1"; fi
  if [ -d "$ORIGINAL_LOCK" ]; then print_lock "$ORIGINAL_LOCK"; fi
}

# release_lock DIRECTORY
# Prints `released` when there was a lock. None is no error.
release_lock() {
  if [ ! -d "$1" ]; then return 0; fi
  rm -rf "$1" && echo released
}

# release_own_lock DIRECTORY ID
# Releases the lock of this run, and leaves another's alone. Ends with LOCK_HELD and the details where another run has it,
# with LOCK_GONE where there is none.
release_own_lock() (
  if [ "$(cat "$1/run" 2>/dev/null)" = "$2" ]; then
    release_lock "$1"
  elif [ -d "$1" ]; then
    print_lock "$1"
    exit "$LOCK_HELD"
  else
    exit "$LOCK_GONE"
  fi
)
