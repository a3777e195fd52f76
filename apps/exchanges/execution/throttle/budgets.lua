-- One trip, one decision: every budget a request costs is looked at, and paid from, together or not at all.
--
-- KEYS[1] is when the venue may be spoken to again, KEYS[2..] one budget each.
-- ARGV[1] is the verb; five numbers per budget follow: units, ceiling, window, trickle, overdraft (times in us).
-- A budget with a window forgets; one without is earned, and its ceiling is what it began with.
--
-- A window is cut into SLOTS slots; what was spent counts until its whole slot has left the window. So no stretch of
-- time as long as the window ever sees more than the ceiling, which is stricter than any way venues count: theirs may
-- start anew at every full minute or drip evenly, ours fits under both.
local SLOTS = 20
-- The longest rest that we take on our own account, us; a venue that asks for more gets more.
local LONGEST_REST = 3600 * 1000000
-- A ban that follows the last one within so long, or as long again as that lasted, is a repetition.
local REST_MEMORY = 60 * 1000000

local stamp = redis.call('TIME')
local now = stamp[1] * 1000000 + stamp[2]
local verb = ARGV[1]

local function empty_window(width, slot)
  local window = { width, slot, 0 }
  for at = 4, 4 + SLOTS do
    window[at] = 0
  end
  return window
end

-- A window is {width, newest slot, total, units of each of the SLOTS + 1 slots that count}.
local function read_window(key, length)
  local width = math.max(1, math.floor(length / SLOTS))
  local slot = math.floor(now / width)
  local raw = redis.call('GET', key)
  if not raw then
    return empty_window(width, slot)
  end
  local window = cmsgpack.unpack(raw)
  if window[1] ~= width or slot < window[2] then
    -- The run has another pace now, or the clock was set back: all that was spent counts as spent this moment.
    local moved = empty_window(width, slot)
    moved[3], moved[4 + slot % (SLOTS + 1)] = window[3], window[3]
    return moved
  end
  for passed = window[2] + 1, math.min(slot, window[2] + SLOTS + 1) do
    local at = 4 + passed % (SLOTS + 1)
    window[3], window[at] = window[3] - window[at], 0
  end
  window[2] = slot
  return window
end

local function pay_window(window, units)
  local at = 4 + window[2] % (SLOTS + 1)
  window[3], window[at] = window[3] + units, window[at] + units
end

-- How long until `units` fit, us: the oldest slots leave first.
local function wait_for_window(window, units, ceiling)
  local missing = window[3] + units - ceiling
  for slot = window[2] - SLOTS, window[2] do
    missing = missing - window[4 + slot % (SLOTS + 1)]
    if missing <= 0 then
      return (slot + SLOTS + 1) * window[1] - now
    end
  end
  return SLOTS * window[1]
end

-- An earned budget is {used, granted, when the last request trickled through}.
local function read_earned(key, initial)
  local raw = redis.call('GET', key)
  return raw and cmsgpack.unpack(raw) or { 0, initial, 0 }
end

local function wait_for_earned(earned, units, trickle, overdraft)
  local limit = earned[2] + math.min(overdraft, earned[2])
  if earned[1] + units <= limit then
    return 0
  end
  local wait = earned[3] + trickle - now
  if wait <= 0 then
    earned[3] = now
  end
  return wait
end

if verb == 'rest' then
  local length, reason = tonumber(ARGV[2]), ARGV[3]
  local raw = redis.call('GET', KEYS[1])
  local last = raw and cmsgpack.unpack(raw)
  local times, until_us = 0, now + length
  if last and now < last[1] then
    -- Said to a request that was on its way when the ban fell: the same ban, not another.
    times, until_us = last[2], math.max(last[1], until_us)
  elseif last then
    times = last[2] + 1
    until_us = now + math.max(length, math.min(length * 2 ^ times, LONGEST_REST))
  end
  local kept = until_us - now + math.max(REST_MEMORY, until_us - now)
  redis.call('SET', KEYS[1], cmsgpack.pack({ until_us, times, reason }), 'PX', math.ceil(kept / 1000))
  return { 1, until_us - now }
end

if verb == 'spend' then
  local raw = redis.call('GET', KEYS[1])
  local rest = raw and cmsgpack.unpack(raw)
  if rest and now < rest[1] then
    return { 0, 0, rest[1] - now, rest[3] }
  end
end

local states = {}
for index = 2, #KEYS do
  local at = 2 + (index - 2) * 5
  local units, ceiling = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local length, trickle, overdraft = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  local state
  if length > 0 then
    state = read_window(KEYS[index], length)
    if verb == 'spend' and state[3] + units > ceiling then
      return { 0, index - 1, wait_for_window(state, units, ceiling) }
    end
    if verb == 'heard' then
      units = math.max(0, units - state[3])
    end
    pay_window(state, units)
  else
    state = read_earned(KEYS[index], ceiling)
    if verb == 'spend' then
      local wait = wait_for_earned(state, units, trickle, overdraft)
      if wait > 0 then
        return { 0, index - 1, wait }
      end
    end
    if verb == 'granted' then
      state[2] = units
    elseif verb == 'heard' then
      state[1] = units
    else
      state[1] = state[1] + units
    end
  end
  states[index] = { state, length }
end

if verb == 'look' then
  -- What is spent of each budget, and how large it is: nothing is written.
  local seen = { 1 }
  for index = 2, #KEYS do
    local state, length = states[index][1], states[index][2]
    seen[2 * index - 2] = length > 0 and state[3] or state[1]
    seen[2 * index - 1] = length > 0 and tonumber(ARGV[3 + (index - 2) * 5]) or state[2]
  end
  return seen
end

local totals = { 1 }
for index = 2, #KEYS do
  local state, length = states[index][1], states[index][2]
  if length > 0 then
    redis.call('SET', KEYS[index], cmsgpack.pack(state), 'PX', math.ceil(length / 1000) * 2)
    totals[index] = state[3]
  else
    redis.call('SET', KEYS[index], cmsgpack.pack(state))
    totals[index] = state[1]
  end
end
return totals
