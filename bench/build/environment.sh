# shellcheck shell=sh
# The environment that the project's scripts and all that they start work in, whatever the user's is: sourced by each of them.
#
# Languages and settings of tools would change what is read from their output, and with it the identities of builds. What chooses tools
# and libraries (PATH, CC, CXX, NVCC, CUDA_HOME, PKG_CONFIG_PATH, LD_LIBRARY_PATH) stays, and so do OMP_* and OPENBLAS_*, which are
# part of what is measured. Scripts begin with bash -p, which reads no BASH_ENV and takes over no functions.

# What programs say, how they sort, and what a letter is.
unset LANGUAGE LC_COLLATE LC_CTYPE LC_MESSAGES LC_MONETARY LC_NUMERIC LC_TIME LANG
export LC_ALL=C
# Files that shells read before anything else, and what makes them work in another way.
unset BASH_ENV ENV CDPATH GLOBIGNORE POSIXLY_CORRECT IFS
# Options that are added to commands: of grep, ls and others, less, tar, find, xargs, diff, awk.
unset GREP_OPTIONS GREP_COLOR GREP_COLORS TIME_STYLE BLOCK_SIZE BLOCKSIZE TAR_OPTIONS LESS LESSOPEN AWKPATH AWKLIBPATH QUOTING_STYLE
# Of compilers, assemblers and linkers, which the Makefile does not know of: code of other options under the same identity.
unset CPATH C_INCLUDE_PATH CPLUS_INCLUDE_PATH OBJC_INCLUDE_PATH COMPILER_PATH LIBRARY_PATH LD_RUN_PATH GCC_EXEC_PREFIX GCC_COMPARE_DEBUG
unset DEPENDENCIES_OUTPUT SUNPRO_DEPENDENCIES CCC_OVERRIDE_OPTIONS LDEMULATION GNUTARGET NVCC_PREPEND_FLAGS NVCC_APPEND_FLAGS
# A folder for temporary files that is gone, or of others.
if [ -n "${TMPDIR-}" ] && ! { [ -d "$TMPDIR" ] && [ -w "$TMPDIR" ] && [ -x "$TMPDIR" ]; }; then
    unset TMPDIR
fi
unset TMP TEMP TEMPDIR
# git: another repository, or another's settings of one.
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_CEILING_DIRECTORIES GIT_PREFIX
