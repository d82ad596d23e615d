/* SPDX-License-Identifier: MIT */
/*
 * mem.c: a guest's memory: windows of one file, and where the guest sees them.
 */

#include "mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kvm.h"
#include "log.h"

#define MIB(bytes) ((bytes) >> 20)
#define MEM_MAX (UINT64_C(1) << 40)

/* Bytes this machine could give now without killing somebody; 0: unknown. */
static uint64_t host_available(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	uint64_t sum = 0, kib;
	char line[128];

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %" SCNu64 " kB", &kib) == 1 ||
		    sscanf(line, "SwapFree: %" SCNu64 " kB", &kib) == 1)
			sum += kib << 10;
	fclose(file);
	return sum;
}

static int check_size(uint64_t bytes, char **why)
{
	if (bytes < MEM_MIN) {
		*why = xasprintf("memory: %" PRIu64 " bytes are too few: "
				 "at least %" PRIu64 "M",
				 bytes, MIB(MEM_MIN));
		return -EINVAL;
	}
	if (bytes > MEM_MAX) {
		*why = xasprintf("memory: %" PRIu64 "M are too many: "
				 "at most %" PRIu64 "M",
				 MIB(bytes), MIB(MEM_MAX));
		return -EINVAL;
	}
	return 0;
}

static int check_available(uint64_t bytes, char **why)
{
	uint64_t available = host_available();

	if (!available || bytes <= available)
		return 0;
	*why = xasprintf("memory: %" PRIu64 "M do not fit: this machine has "
			 "%" PRIu64 "M available",
			 MIB(bytes), MIB(available));
	return -ENOMEM;
}

static int map_region(struct mem *mem, uint64_t gpa, uint64_t size,
		      uint64_t offset)
{
	void *host = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_NORESERVE, mem->fd, (off_t)offset);

	if (host == MAP_FAILED)
		return -errno;
	/* A guest's memory is no help in our own core dump. */
	madvise(host, size, MADV_DONTDUMP);
	mem->region[mem->count++] = (struct mem_region){
		.gpa = gpa,
		.size = size,
		.offset = offset,
		.host = host,
	};
	mem->bytes += size;
	return 0;
}

/* Takes (fd) over, also when it fails. */
static int open_taking(struct mem **out, int fd, uint64_t offset,
		       uint64_t bytes, char **why)
{
	uint64_t low = bytes < MEM_LOW_MAX ? bytes : MEM_LOW_MAX;
	struct mem *mem = xcalloc(1, sizeof(*mem));
	int rc;

	mem->fd = fd;
	rc = map_region(mem, 0, low, offset);
	if (!rc && bytes > low)
		rc = map_region(mem, MEM_HIGH_BASE, bytes - low, offset + low);
	if (rc) {
		*why = xasprintf("memory: mapping %" PRIu64 "M: %s", MIB(bytes),
				 strerror(-rc));
		mem_close(mem);
		return rc;
	}
	*out = mem;
	return 0;
}

/* Of a file of hugepages, a block is one. */
uint64_t mem_span(int fd, uint64_t bytes)
{
	struct stat st;
	uint64_t page = MEM_PAGE;

	if (!fstat(fd, &st) && st.st_blksize > (blksize_t)MEM_PAGE)
		page = (uint64_t)st.st_blksize;
	return (bytes + page - 1) / page * page;
}

static uint64_t round_up(uint64_t bytes)
{
	return (bytes + MEM_PAGE - 1) & ~(MEM_PAGE - 1);
}

int mem_open(struct mem **out, uint64_t bytes, char **why)
{
	int fd, rc;

	rc = check_size(bytes, why);
	if (!rc)
		rc = check_available(bytes, why);
	if (rc)
		return rc;
	bytes = round_up(bytes);
	fd = memfd_create("vpio-guest", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, (off_t)bytes)) {
		rc = -errno;
		*why = xasprintf("memory: a file of %" PRIu64 "M: %s",
				 MIB(bytes), strerror(-rc));
		if (fd >= 0)
			close(fd);
		return rc;
	}
	return open_taking(out, fd, 0, bytes, why);
}

int mem_open_fd(struct mem **out, int fd, uint64_t offset, uint64_t bytes,
		char **why)
{
	struct stat st;
	int rc, own;

	rc = check_size(bytes, why);
	if (rc)
		return rc;
	bytes = round_up(bytes);
	if (fstat(fd, &st)) {
		rc = -errno;
		*why = xasprintf("memory: %s", strerror(-rc));
		return rc;
	}
	if (offset % MEM_PAGE ||
	    !cc_within(offset, bytes, 0, (uint64_t)st.st_size)) {
		*why = xasprintf("memory: %" PRIu64 "M at %#" PRIx64
				 " do not lie in the shared file",
				 MIB(bytes), offset);
		return -EINVAL;
	}
	own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (own < 0) {
		rc = -errno;
		*why = xasprintf("memory: %s", strerror(-rc));
		return rc;
	}
	return open_taking(out, own, offset, bytes, why);
}

void mem_close(struct mem *mem)
{
	if (!mem)
		return;
	for (unsigned int i = 0; i < mem->count; i++)
		munmap(mem->region[i].host,
		       mem_span(mem->fd, mem->region[i].size));
	close(mem->fd);
	free(mem);
}

int mem_attach(const struct mem *mem, struct hv *hv)
{
	for (unsigned int i = 0; i < mem->count; i++) {
		const struct mem_region *r = &mem->region[i];
		int rc = hv_slot(hv, i, r->gpa, r->size, r->host, false);

		if (rc)
			return rc;
	}
	return 0;
}

static const struct mem_region *find(const struct mem *mem, uint64_t gpa,
				     uint64_t len)
{
	for (unsigned int i = 0; i < mem->count; i++)
		if (cc_within(gpa, len, mem->region[i].gpa,
			      mem->region[i].size))
			return &mem->region[i];
	return NULL;
}

void *mem_ptr(const struct mem *mem, uint64_t gpa, uint64_t len)
{
	const struct mem_region *r = find(mem, gpa, len);

	return r ? r->host + (gpa - r->gpa) : NULL;
}

int mem_offset(const struct mem *mem, uint64_t gpa, uint64_t len,
	       uint64_t *offset)
{
	const struct mem_region *r = find(mem, gpa, len);

	if (!r)
		return -EFAULT;
	*offset = r->offset + (gpa - r->gpa);
	return 0;
}
