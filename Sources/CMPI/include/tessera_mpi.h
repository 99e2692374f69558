// SPDX-License-Identifier: Apache-2.0
// The dozen calls of MPI that ranks need, behind function pointers. Every MPI has its own binary interface,
// so a small library between the two (tools/lib/tessera_mpi.c) is compiled by the site's own mpicc, and
// opened at run time: the program starts where there is no MPI, and runs with whichever one a site has.
#ifndef TESSERA_MPI_H
#define TESSERA_MPI_H

#include <stddef.h>

// Raised with every change of the table: a library of another version is refused.
#define TSR_MPI_VERSION 1

// A message on its way: what was sent, or is being received.
typedef struct tsr_mpi_transfer tsr_mpi_transfer;

// All calls return 0, or an error code that `explain` knows. They are for one thread, the one that called
// `start`; none waits for another rank but `start` and `finish`.
typedef struct {
  int version;
  // Begins; this process's number among all of them and how many there are, and the same on its host.
  int (*start)(int *rank, int *size, int *place, int *neighbours);
  // The host's name, ended with 0.
  int (*host)(char *name, size_t capacity);
  // Begins to send bytes, which stay until `test` says that it is done.
  int (*send)(const void *bytes, size_t count, int to, int tag, tsr_mpi_transfer **transfer);
  // Takes the next message that has come in, if there is one: where from, its tag, its bytes.
  int (*probe)(int *found, int *source, int *tag, size_t *count, tsr_mpi_transfer **transfer);
  // Begins to receive a message that `probe` took.
  int (*receive)(void *bytes, size_t count, tsr_mpi_transfer *transfer);
  // Whether a transfer is done; it is gone then.
  int (*test)(tsr_mpi_transfer *transfer, int *done);
  // What an error code means.
  void (*explain)(int code, char *text, size_t capacity);
  // The orderly end, which all ranks come to.
  void (*finish)(void);
  // The end of all ranks, at once.
  void (*abort)(int code);
} tsr_mpi;

// The table of a library; NULL with a reason where there is none, or one of another version.
const tsr_mpi *tsr_mpi_load(const char *path, const char **reason);

#endif
