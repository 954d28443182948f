-- One request, as the environment says: METHOD, BODY (its size), HEADERS (how many more), CLOSE, and PIPELINE of them at a time.
-- At the end, one line of JSON for harness.py.

local function number(name)
  return tonumber(os.getenv(name) or "0")
end

function init()
  wrk.method = os.getenv("METHOD") or "GET"
  if number("BODY") > 0 then
    wrk.body = string.rep("x", number("BODY"))
  end
  for i = 1, number("HEADERS") do
    wrk.headers["X-Header-" .. i] = "a value of a usual length, number " .. i
  end
  if number("CLOSE") > 0 then
    wrk.headers["Connection"] = "close"
  end
  if number("PIPELINE") > 1 then
    local requests = string.rep(wrk.format(), number("PIPELINE"))
    request = function()
      return requests
    end
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('{"requests": %d, "micros": %d, "bytes": %d, "errors": %d, "p50": %.1f, "p99": %.1f, "p999": %.1f}\n',
    summary.requests, summary.duration, summary.bytes,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
