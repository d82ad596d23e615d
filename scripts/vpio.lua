-- SPDX-License-Identifier: MIT
-- vpio.lua: vpio's records in Wireshark and tshark, by name.
--
--   tshark -X lua_script:scripts/vpio.lua -r run.pcapng
--   wireshark -X lua_script:scripts/vpio.lua run.pcapng
--
-- The format is docs/trace.md's (dmm/trace.h).

local vpio = Proto("vpio", "vpio record")

local kinds = {
	[1] = "model", [2] = "access", [3] = "interrupt", [4] = "tick",
	[5] = "leave", [6] = "guest_reset", [7] = "host", [8] = "line",
	[9] = "state", [10] = "switch", [11] = "violation", [12] = "lost",
	[13] = "step", [14] = "signals", [15] = "message",
}
local calls = {
	[1] = "read", [2] = "write", [3] = "read_string", [4] = "write_string",
	[5] = "pause", [6] = "now", [7] = "reset", [8] = "translate",
	[9] = "read_mem", [10] = "write_mem", [11] = "area",
}
local verdicts = { [0] = "pass", [1] = "hold", [2] = "stop" }
local paths = {
	[0] = "direct", [1] = "forward", [2] = "latch", [3] = "hook",
	[4] = "defer", [5] = "answer", [6] = "deny",
}
local steps = {
	[1] = "quiesce", [2] = "save", [3] = "scrub", [4] = "restore",
	[5] = "context", [6] = "force",
}
local offences = {
	[0] = "refused", [1] = "denied", [2] = "spoofed", [3] = "forced",
	[4] = "failed",
}

local f = vpio.fields
f.version = ProtoField.uint8("vpio.version", "Version")
f.kind = ProtoField.uint8("vpio.kind", "Kind", base.DEC, kinds)
f.device = ProtoField.uint8("vpio.device", "Device")
f.guest = ProtoField.uint8("vpio.guest", "Guest")
f.sequence = ProtoField.uint64("vpio.sequence", "Sequence")
f.off = ProtoField.uint64("vpio.off", "Offset", base.HEX)
f.rip = ProtoField.uint64("vpio.rip", "rip", base.HEX)
f.count = ProtoField.uint32("vpio.count", "Elements")
f.done = ProtoField.uint32("vpio.done", "Elements done")
f.space = ProtoField.uint8("vpio.space", "Space")
f.width = ProtoField.uint8("vpio.width", "Width, bytes")
f.write = ProtoField.bool("vpio.write", "Write")
f.verdict = ProtoField.uint8("vpio.verdict", "Verdict", base.DEC, verdicts)
f.path = ProtoField.uint8("vpio.path", "Path", base.DEC, paths)
f.vcpu = ProtoField.uint8("vpio.vcpu", "vCPU")
f.value = ProtoField.uint64("vpio.value", "Value", base.HEX)
f.data = ProtoField.bytes("vpio.data", "Data")
f.call = ProtoField.uint8("vpio.call", "Host function", base.DEC, calls)
f.result = ProtoField.int32("vpio.result", "Result")
f.at = ProtoField.uint64("vpio.at", "At", base.HEX)
f.step = ProtoField.uint8("vpio.step", "Step", base.DEC, steps)
f.machine = ProtoField.uint16("vpio.machine", "Machine")
f.from = ProtoField.uint16("vpio.from", "From state")
f.to = ProtoField.uint16("vpio.to", "To state")
f.ns = ProtoField.uint64("vpio.ns", "Nanoseconds")
f.forced = ProtoField.bool("vpio.forced", "Forced")
f.address = ProtoField.uint64("vpio.address", "Address", base.HEX)
f.length = ProtoField.uint64("vpio.length", "Length")
f.line = ProtoField.uint32("vpio.line", "Line of the model")
f.offence = ProtoField.uint8("vpio.offence", "Offence", base.DEC, offences)
f.name = ProtoField.stringz("vpio.name", "Name")
f.rule = ProtoField.stringz("vpio.rule", "What was broken")
f.hash = ProtoField.uint64("vpio.hash", "Hash of the model", base.HEX)
f.guests = ProtoField.uint8("vpio.guests", "Guests")
f.complete = ProtoField.bool("vpio.complete", "Complete")

local function access(buf, tree)
	tree:add_le(f.off, buf(0, 8))
	tree:add_le(f.rip, buf(8, 8))
	tree:add_le(f.count, buf(16, 4))
	tree:add_le(f.done, buf(20, 4))
	tree:add_le(f.space, buf(24, 1))
	tree:add_le(f.width, buf(25, 1))
	tree:add_le(f.write, buf(26, 1))
	tree:add_le(f.verdict, buf(27, 1))
	tree:add_le(f.path, buf(28, 1))
	tree:add_le(f.vcpu, buf(29, 1))
	if buf:len() > 40 then
		tree:add(f.data, buf(40))
	end
	return string.format("%s space %d+0x%x width %d %s",
		buf(26, 1):uint() == 1 and "write" or "read",
		buf(24, 1):uint(), buf(0, 4):le_uint(), buf(25, 1):uint(),
		paths[buf(28, 1):uint()] or "?")
end

local function call(buf, tree)
	tree:add_le(f.call, buf(0, 1))
	tree:add_le(f.space, buf(1, 1))
	tree:add_le(f.width, buf(2, 1))
	tree:add_le(f.result, buf(4, 4))
	tree:add_le(f.at, buf(8, 8))
	tree:add_le(f.value, buf(16, 8))
	if buf:len() > 40 then
		tree:add(f.data, buf(40))
	end
	return string.format("%s at 0x%x", calls[buf(0, 1):uint()] or "?",
		buf(8, 4):le_uint())
end

local function state(buf, tree)
	tree:add_le(f.machine, buf(0, 2))
	tree:add_le(f.from, buf(2, 2))
	tree:add_le(f.to, buf(4, 2))
	return string.format("machine %d: %d to %d", buf(0, 2):le_uint(),
		buf(2, 2):le_uint(), buf(4, 2):le_uint())
end

local function step(buf, tree)
	tree:add_le(f.step, buf(0, 1))
	return steps[buf(0, 1):uint()] or "?"
end

local function switch(buf, tree)
	tree:add_le(f.from, buf(0, 1))
	tree:add_le(f.to, buf(1, 1))
	tree:add_le(f.forced, buf(2, 1))
	tree:add_le(f.ns, buf(8, 8))
	return string.format("to guest %d", buf(1, 1):uint())
end

local function violation(buf, tree)
	tree:add_le(f.address, buf(0, 8))
	tree:add_le(f.length, buf(8, 8))
	tree:add_le(f.line, buf(16, 4))
	tree:add_le(f.offence, buf(20, 1))
	local name = buf(24):stringz()
	tree:add(f.name, buf(24, #name + 1))
	tree:add(f.rule, buf(24 + #name + 1))
	return name .. ": " .. buf(24 + #name + 1):stringz()
end

local function model(buf, tree)
	tree:add_le(f.hash, buf(0, 8))
	tree:add_le(f.guests, buf(36, 1))
	tree:add_le(f.complete, buf(37, 1))
	local at = 56 + 16 * buf(36, 1):uint()
	tree:add(f.name, buf(at, #buf(at):stringz() + 1))
	return buf(at):stringz()
end

local bodies = {
	[1] = { model, 57 }, [2] = { access, 40 }, [7] = { call, 40 },
	[9] = { state, 8 }, [10] = { switch, 16 }, [11] = { violation, 26 },
	[13] = { step, 8 },
}

function vpio.dissector(buf, pinfo, tree)
	if buf:len() < 16 then
		return 0
	end
	pinfo.cols.protocol = "vpio"
	local kind = buf(1, 1):uint()
	local len = buf(4, 4):le_uint()
	local node = tree:add(vpio, buf())
	node:add(f.version, buf(0, 1))
	node:add(f.kind, buf(1, 1))
	node:add(f.device, buf(2, 1))
	node:add(f.guest, buf(3, 1))
	node:add_le(f.sequence, buf(8, 8))
	local text = ""
	local body = bodies[kind]
	if body and len >= body[2] and buf:len() >= 16 + len then
		text = body[1](buf(16, len):tvb(), node)
	elseif len >= 8 and buf:len() >= 24 then
		node:add_le(f.value, buf(16, 8))
	end
	local guest = buf(3, 1):uint()
	pinfo.cols.info = string.format("%s device %d%s %s",
		kinds[kind] or "?", buf(2, 1):uint(),
		guest == 255 and "" or " guest " .. guest, text)
	node:append_text(": " .. (kinds[kind] or "?") .. " " .. text)
	return buf:len()
end

DissectorTable.get("wtap_encap"):add(wtap.USER0, vpio)
