/* Shifts the clock by the seconds in the file $SHIFT. For LD_PRELOAD; see Clock in faults.py. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
static volatile long *shift;
__attribute__((constructor)) static void begin(void) {
  shift = mmap(0, sizeof *shift, PROT_READ, MAP_SHARED, open(getenv("SHIFT"), O_RDONLY), 0);
}
int clock_gettime(clockid_t id, struct timespec *told) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
  int failed = real(id, told);
  if (!failed && id == CLOCK_REALTIME && shift) told->tv_sec += *shift;
  return failed;
}
