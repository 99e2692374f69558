// SPDX-License-Identifier: Apache-2.0
// The library between Tessera and a site's MPI; Sources/CMPI/include/tessera_mpi.h says what its calls do.
// tools/mpi-shim compiles it. Messages are matched when they are taken (MPI_Improbe), so nothing has to be
// known of them before.
#include <mpi.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "tessera_mpi.h"

struct tsr_mpi_transfer {
  MPI_Request request;
  MPI_Message message;
};

static MPI_Comm ranks = MPI_COMM_NULL;

static int start(int *rank, int *size, int *place, int *neighbours) {
  int provided = 0, code = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
  if (code) return code;
  // A group of its own: messages of others that use MPI in this process are not taken.
  if ((code = MPI_Comm_dup(MPI_COMM_WORLD, &ranks))) return code;
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm_set_errhandler(ranks, MPI_ERRORS_RETURN);
  MPI_Comm_rank(ranks, rank);
  MPI_Comm_size(ranks, size);
  MPI_Comm host;
  if ((code = MPI_Comm_split_type(ranks, MPI_COMM_TYPE_SHARED, *rank, MPI_INFO_NULL, &host))) return code;
  MPI_Comm_rank(host, place);
  MPI_Comm_size(host, neighbours);
  return MPI_Comm_free(&host);
}

static int host(char *name, size_t capacity) {
  char text[MPI_MAX_PROCESSOR_NAME + 1] = "";
  int length = 0, code = MPI_Get_processor_name(text, &length);
  strncpy(name, text, capacity - 1);
  name[capacity - 1] = 0;
  return code;
}

static int send(const void *bytes, size_t count, int to, int tag, tsr_mpi_transfer **transfer) {
  if (count > INT_MAX) return MPI_ERR_COUNT;
  tsr_mpi_transfer *made = malloc(sizeof *made);
  if (!made) return MPI_ERR_NO_MEM;
  int code = MPI_Isend(bytes, (int)count, MPI_BYTE, to, tag, ranks, &made->request);
  if (code) free(made);
  *transfer = code ? NULL : made;
  return code;
}

static int probe(int *found, int *source, int *tag, size_t *count, tsr_mpi_transfer **transfer) {
  MPI_Message message;
  MPI_Status status;
  *transfer = NULL;
  int code = MPI_Improbe(MPI_ANY_SOURCE, MPI_ANY_TAG, ranks, found, &message, &status);
  if (code || !*found) return code;
  int bytes = 0;
  tsr_mpi_transfer *made = malloc(sizeof *made);
  if (!made) return MPI_ERR_NO_MEM;
  made->message = message;
  made->request = MPI_REQUEST_NULL;
  MPI_Get_count(&status, MPI_BYTE, &bytes);
  *source = status.MPI_SOURCE;
  *tag = status.MPI_TAG;
  *count = (size_t)bytes;
  *transfer = made;
  return 0;
}

static int receive(void *bytes, size_t count, tsr_mpi_transfer *transfer) {
  return MPI_Imrecv(bytes, (int)count, MPI_BYTE, &transfer->message, &transfer->request);
}

static int test(tsr_mpi_transfer *transfer, int *done) {
  int code = MPI_Test(&transfer->request, done, MPI_STATUS_IGNORE);
  if (code || *done) free(transfer);
  return code;
}

static void explain(int code, char *text, size_t capacity) {
  char whole[MPI_MAX_ERROR_STRING + 1] = "";
  int length = 0;
  MPI_Error_string(code, whole, &length);
  strncpy(text, whole, capacity - 1);
  text[capacity - 1] = 0;
}

static void finish(void) {
  MPI_Comm_free(&ranks);
  MPI_Finalize();
}

static void end(int code) { MPI_Abort(MPI_COMM_WORLD, code); }

const tsr_mpi *tsr_mpi_table(void);
const tsr_mpi *tsr_mpi_table(void) {
  static const tsr_mpi table = {TSR_MPI_VERSION, start, host,    send,   probe,
                                receive,         test,  explain, finish, end};
  return &table;
}
