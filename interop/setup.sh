#!/bin/sh
# setup.sh DIR: makes the virtual environment DIR with the Python framework and what the scripts here need.
# tapisservice 1.9.0 imports lib2to3, which Python 3.13 no longer has: PYTHON=python3.11 setup.sh DIR
set -eu
dir=${1:?usage: setup.sh DIR}
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(not (3, 9) <= sys.version_info < (3, 13))' || { echo "need Python 3.9 to 3.12, see PYTHON above" >&2; exit 1; }
"$python" -m venv "$dir"
"$dir/bin/pip" install -q tapisservice==1.9.0 tapipy==25.4.0 fastapi uvicorn uvloop httptools
"$dir/bin/python" -c 'import tapipy.tapis, fastapi, uvicorn, uvloop, httptools, jwt; print("ready: tapipy", tapipy.__version__)'
