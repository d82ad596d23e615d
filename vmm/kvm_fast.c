// SPDX-License-Identifier: MIT
/*
 * kvm_fast.c: what KVM does without leaving the kernel: coalesced writes,
 * eventfds for writes, interrupts by eventfd.
 */

#include "kvm_impl.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Pages of (struct kvm_run)'s mapping to the ring; 0: KVM has none. */
static int ring_page(const struct hv *hv)
{
	int n = ioctl(hv->dev, KVM_CHECK_EXTENSION, KVM_CAP_COALESCED_MMIO);

	return n > 0 ? n : 0;
}

int hv_coalesce(struct hv *hv, bool io, uint64_t addr, uint32_t len, bool on)
{
	struct kvm_coalesced_mmio_zone zone = { .addr = addr,
						.size = len,
						.pio = io };

	if (!ring_page(hv) || (io && ioctl(hv->dev, KVM_CHECK_EXTENSION,
					   KVM_CAP_COALESCED_PIO) <= 0))
		return -ENOSYS;
	return hv_ioctl(hv->vm,
			on ? KVM_REGISTER_COALESCED_MMIO :
			     KVM_UNREGISTER_COALESCED_MMIO,
			&zone);
}

size_t hv_cpu_coalesced(struct hv_cpu *cpu, struct hv *hv,
			void (*write)(void *ctx, bool io, uint64_t addr,
				      const uint8_t *data, uint32_t len),
			void *ctx)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), n = 0;
	struct kvm_coalesced_mmio_ring *ring =
		(void *)((uint8_t *)cpu->run + (size_t)ring_page(hv) * page);
	uint32_t max = (uint32_t)((page - sizeof(*ring)) /
				  sizeof(ring->coalesced_mmio[0]));
	uint32_t first = ring->first % max, last;

	last = __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE) % max;
	for (; first != last; first = (first + 1) % max, n++) {
		const struct kvm_coalesced_mmio *e =
			&ring->coalesced_mmio[first];

		if (write)
			write(ctx, e->pio, e->phys_addr, e->data, e->len);
	}
	__atomic_store_n(&ring->first, first, __ATOMIC_RELEASE);
	return n;
}

int hv_ioeventfd(struct hv *hv, bool io, uint64_t addr, uint32_t len, int fd,
		 bool on)
{
	struct kvm_ioeventfd e = {
		.addr = addr,
		.len = len,
		.fd = fd,
		.flags = (io ? KVM_IOEVENTFD_FLAG_PIO : 0) |
			 (on ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN),
	};

	return hv_ioctl(hv->vm, KVM_IOEVENTFD, &e);
}

int hv_irqfd(struct hv *hv, unsigned int gsi, int fd)
{
	struct kvm_irqfd irq = { .fd = (uint32_t)fd, .gsi = gsi };

	return hv_ioctl(hv->vm, KVM_IRQFD, &irq);
}
