-- wrk script: sends one after the other the requests of a file, named after `--`; each line is `host token`, or `host` alone.
local requests, last = {}, 0

function init(arguments)
  for line in io.lines(arguments[1]) do
    local host, token = line:match("^(%S+) ?(%S*)$")
    wrk.headers["Host"] = host
    wrk.headers["X-Tapis-Token"] = token ~= "" and token or nil
    requests[#requests + 1] = wrk.format()
  end
end

function request()
  last = last % #requests + 1
  return requests[last]
end
