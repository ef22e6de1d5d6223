# shellcheck shell=sh
# The deploy lock is a directory: `mkdir` is atomic. Its file `details` names the holder, in base64 as MRSK wrote it; its
# file `run` has the id of the run that holds the lock.

# print_lock DIRECTORY
# Prints the details of the lock. They are missing if the run was interrupted between `mkdir` and writing them.
print_lock() {
  { base64 -d <"$1/details" 2>/dev/null | grep ''; } || echo 'The lock has no details: the run that acquired it was interrupted'
}

# acquire_lock PARENT DIRECTORY ID DETAILS
# Exits with LOCK_HELD, and the details on standard output, if another run has the lock: the directory exists. The text
# of an error decides nothing. MRSK's own lock counts too.
acquire_lock() (
  if [ -d "$MRSK_LOCK" ]; then
    print_lock "$MRSK_LOCK"
    echo "This is the lock of MRSK, for all services of this host: $MRSK_LOCK"
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
# Prints the details of the lock and of MRSK's lock; nothing if there is none.
print_locks() {
  if [ -d "$1" ]; then print_lock "$1"; fi
  if [ -d "$MRSK_LOCK" ]; then print_lock "$MRSK_LOCK"; fi
}

# holds_lock DIRECTORY ID
# Succeeds if the run of that id holds the lock.
holds_lock() {
  [ "$(cat "$1/run" 2>/dev/null)" = "$2" ]
}

# release_lock DIRECTORY
# Prints `released` if there was a lock. A missing lock is no error.
release_lock() {
  if [ ! -d "$1" ]; then return 0; fi
  rm -rf "$1" && echo released
}

# release_own_lock DIRECTORY ID
# Releases the lock if this run holds it. Exits with LOCK_HELD and the details if another run holds it, with LOCK_GONE if
# there is no lock.
release_own_lock() (
  if holds_lock "$1" "$2"; then
    release_lock "$1"
  elif [ -d "$1" ]; then
    print_lock "$1"
    exit "$LOCK_HELD"
  else
    exit "$LOCK_GONE"
  fi
)
