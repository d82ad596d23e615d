# SPDX-License-Identifier: MIT
# guests.mk: builds the test guests, and the host's checksum tool.
#
# Included by the top Makefile, or alone:
#   make -f tests/guests/guests.mk B=/tmp/gbuild guests

B ?= build
Q ?= $(if $(V),,@)
GUEST_CC ?= $(CC)

guests_dir := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
guests_out := $(B)/guests

# Our own flags: what a sanitizer adds to CFLAGS cannot run in a guest.
GUEST_WARN := -Wall -Wextra -Werror
GUEST_CFLAGS := -std=gnu11 -O2 $(GUEST_WARN) -MMD -MP \
	-ffreestanding -fno-stack-protector -fno-pic -fno-pie \
	-fcf-protection=none -fno-asynchronous-unwind-tables \
	-m64 -mno-red-zone -mgeneral-regs-only -mno-sse -mcmodel=small
GUEST_LDFLAGS := -nostdlib -static -Wl,-z,noexecstack \
	-Wl,-z,max-page-size=4096 -Wl,--build-id=none \
	-Wl,-T,$(guests_dir)/guest.lds

guests_core := start trap boot lib time irq ring3
guests_card := pci nic ne2k e1000 e1000_eeprom rtl8139 pcnet $(guests_core)

# The objects of each image.  A new guest needs a line here, and its name below.
guests_hello     := hello $(guests_core)
guests_hello-pvh := hello start-pvh $(filter-out start,$(guests_core))
guests_spin      := spin $(guests_core)
guests_triple    := triple $(guests_core)
guests_reset     := reset $(guests_core)
guests_rtc       := rtc $(guests_core)
guests_type      := type $(guests_core)
guests_smp       := smp ap $(guests_core)
guests_bars      := bars pci $(guests_core)
guests_ping      := ping net dhcp tftp $(guests_card)
guests_stream    := stream stream_flow net dhcp $(guests_card)
guests_hostile   := hostile $(guests_card)
guests_offend    := unwind/offend $(guests_card)

guests_names := hello hello-pvh spin triple reset rtc type smp bars ping stream \
	hostile offend

.PHONY: guests
guests: $(guests_names:%=$(guests_out)/%.elf) $(guests_out)/checksum \
	$(guests_out)/echo

define guests_image
$(guests_out)/$(1).elf64: $(guests_$(1):%=$(guests_out)/%.o) \
		$(guests_dir)/guest.lds
	@echo "  LINK    $$@"
	$$(Q)$$(GUEST_CC) $$(GUEST_LDFLAGS) -o $$@ $$(filter %.o,$$^)
endef
$(foreach name,$(guests_names),$(eval $(call guests_image,$(name))))

# Multiboot loaders want a 32-bit ELF; PVH loaders take either.
$(guests_out)/%.elf: $(guests_out)/%.elf64
	$(Q)objcopy -I elf64-x86-64 -O elf32-i386 $< $@

define guests_compile
	@echo "  CC      $@"
	@mkdir -p $(@D)
	$(Q)$(GUEST_CC) $(GUEST_CFLAGS) $(1) -c -o $@ $<
endef

$(guests_out)/%.o: $(guests_dir)/%.c $(guests_dir)/guests.mk
	$(call guests_compile)

$(guests_out)/%.o: $(guests_dir)/%.S $(guests_dir)/guests.mk
	$(call guests_compile)

# With tables, by which a report of the monitor names the functions.
$(guests_out)/unwind/%.o: $(guests_dir)/%.c $(guests_dir)/guests.mk
	$(call guests_compile,-fasynchronous-unwind-tables)

# Without the multiboot header: a stock QEMU then boots it by PVH.
$(guests_out)/start-pvh.o: $(guests_dir)/start.S $(guests_dir)/guests.mk
	$(call guests_compile,-DNO_MULTIBOOT)

$(guests_out)/checksum $(guests_out)/echo: $(guests_out)/%: \
		$(guests_dir)/%.c $(guests_dir)/guests.mk
	@echo "  LINK    $@"
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O2 $(GUEST_WARN) -MMD -MP -o $@ $<

.SECONDARY:
-include $(wildcard $(guests_out)/*.d $(guests_out)/unwind/*.d)
