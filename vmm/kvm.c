// SPDX-License-Identifier: MIT
/*
 * kvm.c: KVM's machines: every ioctl of /dev/kvm and of a machine.
 */

#include "kvm_impl.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "log.h"

#define TSS_ADDR UINT64_C(0xfffbd000)	   /* three pages */
#define IDENTITY_ADDR UINT64_C(0xfffbc000) /* one page */
#define CPUID_MAX 256

/* What we cannot do without, with names for the message. */
static const struct {
	int cap;
	const char *name;
} needed[] = {
	{ KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY" },
	{ KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP" },
	{ KVM_CAP_PIT2, "KVM_CAP_PIT2" },
	{ KVM_CAP_SET_TSS_ADDR, "KVM_CAP_SET_TSS_ADDR" },
	{ KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID" },
	{ KVM_CAP_MP_STATE, "KVM_CAP_MP_STATE" },
	{ KVM_CAP_SIGNAL_MSI, "KVM_CAP_SIGNAL_MSI" },
	{ KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT" },
};

/* An ioctl that is tried again when a signal came in between. */
int hv_ioctl(int fd, unsigned long request, void *arg)
{
	int rc;

	do
		rc = ioctl(fd, request, arg);
	while (rc < 0 && errno == EINTR);
	return rc < 0 ? -errno : rc;
}

int hv_failed(int err, const char *what, char **why)
{
	*why = xasprintf("%s: %s", what, strerror(-err));
	return err;
}

static int hv_open_dev(struct hv *hv, char **why)
{
	hv->dev = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (hv->dev >= 0)
		return 0;

	int err = -errno;

	if (err == -ENOENT || err == -ENODEV || err == -ENXIO)
		*why = xasprintf(
			"/dev/kvm: no such file: modprobe kvm-intel or kvm-amd; "
			"if they do not load, turn virtualization on in the "
			"firmware, or nested virtualization for this machine "
			"if it is virtual itself");
	else if (err == -EACCES || err == -EPERM)
		*why = xasprintf("/dev/kvm: permission denied: "
				 "add yourself to group kvm or use sudo");
	else
		return hv_failed(err, "/dev/kvm", why);
	return err;
}

static int hv_check_dev(struct hv *hv, char **why)
{
	int version = ioctl(hv->dev, KVM_GET_API_VERSION, 0);

	if (version != KVM_API_VERSION) {
		*why = xasprintf("/dev/kvm: speaks version %d of its interface "
				 "where %d is needed: update the kernel",
				 version, KVM_API_VERSION);
		return -ENOSYS;
	}
	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		if (ioctl(hv->dev, KVM_CHECK_EXTENSION, needed[i].cap) > 0)
			continue;
		*why = xasprintf("/dev/kvm: has no %s: update the kernel",
				 needed[i].name);
		return -ENOSYS;
	}
	hv->deadline = ioctl(hv->dev, KVM_CHECK_EXTENSION,
			     KVM_CAP_TSC_DEADLINE_TIMER) > 0;

	int size = ioctl(hv->dev, KVM_GET_VCPU_MMAP_SIZE, 0);

	if (size < (int)sizeof(struct kvm_run))
		return hv_failed(-ENOSYS, "KVM_GET_VCPU_MMAP_SIZE", why);
	hv->run_size = (size_t)size;
	return 0;
}

static int hv_get_cpuid(struct hv *hv, char **why)
{
	struct kvm_cpuid2 *list;
	int rc;

	list = xcalloc(1, sizeof(*list) + CPUID_MAX * sizeof(list->entries[0]));
	list->nent = CPUID_MAX;
	rc = hv_ioctl(hv->dev, KVM_GET_SUPPORTED_CPUID, list);
	if (rc < 0) {
		free(list);
		return hv_failed(rc, "KVM_GET_SUPPORTED_CPUID", why);
	}
	hv->cpuid = list;
	return 0;
}

static int hv_create(struct hv *hv, char **why)
{
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	uint64_t identity = IDENTITY_ADDR;
	int rc;

	rc = hv_ioctl(hv->dev, KVM_CREATE_VM, NULL);
	if (rc < 0)
		return hv_failed(rc, "KVM_CREATE_VM", why);
	hv->vm = rc;

	/* Both are needed on Intel before the first processor (4.41, 4.3) */
	rc = hv_ioctl(hv->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity);
	if (rc < 0)
		return hv_failed(rc, "KVM_SET_IDENTITY_MAP_ADDR", why);
	rc = hv_ioctl(hv->vm, KVM_SET_TSS_ADDR, (void *)TSS_ADDR);
	if (rc < 0)
		return hv_failed(rc, "KVM_SET_TSS_ADDR", why);
	rc = hv_ioctl(hv->vm, KVM_CREATE_IRQCHIP, NULL);
	if (rc < 0)
		return hv_failed(rc, "KVM_CREATE_IRQCHIP", why);
	rc = hv_ioctl(hv->vm, KVM_CREATE_PIT2, &pit);
	if (rc < 0)
		return hv_failed(rc, "KVM_CREATE_PIT2", why);
	return 0;
}

int hv_open(struct hv **out, char **why)
{
	struct hv *hv = xcalloc(1, sizeof(*hv));
	int rc;

	pthread_mutex_init(&hv->routes_lock, NULL);
	hv->dev = -1;
	hv->vm = -1;
	rc = hv_open_dev(hv, why);
	if (!rc)
		rc = hv_check_dev(hv, why);
	if (!rc)
		rc = hv_get_cpuid(hv, why);
	if (!rc)
		rc = hv_create(hv, why);
	if (rc)
		hv_close(hv);
	else
		*out = hv;
	return rc;
}

void hv_close(struct hv *hv)
{
	if (!hv)
		return;
	if (hv->vm >= 0)
		close(hv->vm);
	if (hv->dev >= 0)
		close(hv->dev);
	hv_kept_free(hv);
	free(hv->cpuid);
	free(hv->routes);
	pthread_mutex_destroy(&hv->routes_lock);
	free(hv);
}

int hv_slot(struct hv *hv, unsigned int slot, uint64_t gpa, uint64_t size,
	    void *host, bool readonly)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = readonly ? KVM_MEM_READONLY : 0,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)host,
	};

	return hv_ioctl(hv->vm, KVM_SET_USER_MEMORY_REGION, &region);
}

int hv_irq_line(struct hv *hv, unsigned int gsi, bool level)
{
	struct kvm_irq_level line = { .irq = gsi, .level = level };

	return hv_ioctl(hv->vm, KVM_IRQ_LINE, &line);
}

int hv_message(struct hv *hv, uint64_t addr, uint32_t data)
{
	struct kvm_msi msi = { .address_lo = (uint32_t)addr,
			       .address_hi = (uint32_t)(addr >> 32),
			       .data = data };

	return hv_ioctl(hv->vm, KVM_SIGNAL_MSI, &msi);
}

int hv_eventfd(struct hv *hv, int fd, unsigned int gsi, int resample)
{
	struct kvm_irqfd irqfd = { .fd = (uint32_t)fd, .gsi = gsi };

	if (resample >= 0) {
		irqfd.flags = KVM_IRQFD_FLAG_RESAMPLE;
		irqfd.resamplefd = (uint32_t)resample;
	}
	return hv_ioctl(hv->vm, KVM_IRQFD, &irqfd);
}

void hv_eventfd_end(struct hv *hv, int fd, unsigned int gsi)
{
	struct kvm_irqfd irqfd = { .fd = (uint32_t)fd,
				   .gsi = gsi,
				   .flags = KVM_IRQFD_FLAG_DEASSIGN };

	(void)!hv_ioctl(hv->vm, KVM_IRQFD, &irqfd);
}

int hv_set_elcr(struct hv *hv, uint16_t level)
{
	static const unsigned int chips[] = { KVM_IRQCHIP_PIC_MASTER,
					      KVM_IRQCHIP_PIC_SLAVE };

	for (size_t i = 0; i < ARRAY_LEN(chips); i++) {
		struct kvm_irqchip chip = { .chip_id = chips[i] };
		int rc = hv_ioctl(hv->vm, KVM_GET_IRQCHIP, &chip);

		if (rc < 0)
			return rc;
		chip.chip.pic.elcr = (uint8_t)(level >> (8 * i)) &
				     chip.chip.pic.elcr_mask;
		rc = hv_ioctl(hv->vm, KVM_SET_IRQCHIP, &chip);
		if (rc < 0)
			return rc;
	}
	return 0;
}
