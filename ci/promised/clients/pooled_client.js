// What `pooled_client.py` says, by the agent of Node.js: node pooled_client.js PORT PLAN
'use strict';
const fs = require('node:fs');
const http = require('node:http');

const CHUNK = 8000;
const TIMEOUT_MILLISECONDS = 30000;
const [port, plan] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

const fields = (token) => ({ 'Content-Type': 'application/json', ...(token && { 'X-Tapis-Token': token }) });

function send(method, path, headers, body, framing) {
  return new Promise((resolve, reject) => {
    const expects = framing.includes('expect');
    const chunked = framing.includes('chunked');
    const framed = chunked ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': body.length };
    const expect = expects ? { Expect: '100-continue' } : {};
    const options = { port, host: '127.0.0.1', method, path, agent, headers: { ...headers, ...framed, ...expect } };
    let answered = false;
    const request = http.request({ ...options, timeout: TIMEOUT_MILLISECONDS }, (response) => {
      answered = true;
      response.resume();
      response.on('error', reject);
      response.on('end', () => {
        const closes = response.headers.connection === 'close';
        resolve({ status: response.statusCode, closes });
        // Nobody asked for the body: it is not sent, and the connection, which closes, is not used again.
        if (!request.writableEnded) request.destroy();
      });
    });
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    // A body that is cut off after its answer has come is no loss.
    request.on('error', (error) => { if (!answered) reject(error); });
    const write = () => {
      if (chunked) for (let at = 0; at < body.length; at += CHUNK) request.write(body.subarray(at, at + CHUNK));
      request.end(chunked ? undefined : body);
    };
    if (expects) {
      request.on('continue', write);
      request.flushHeaders();
    } else {
      write();
    }
  });
}

async function main() {
  for (const line of fs.readFileSync(plan, 'utf8').split('\n').filter(Boolean)) {
    const [method, path, token, size, framing, followMethod, followPath, followToken, followBody] = line.split('\t');
    try {
      const { status, closes } = await send(method, path, fields(token), Buffer.alloc(Number(size), 'x'), framing);
      console.log(status, closes ? 'closes' : 'stays');
    } catch (error) {
      console.log(`lost refused ${method} ${path} ${size} ${framing}: ${error}`);
      continue;
    }
    try {
      const { status } = await send(followMethod, followPath, fields(followToken), Buffer.from(followBody), 'length');
      console.log('followed', status);
    } catch (error) {
      console.log(`lost follow-up of ${method} ${path} ${size} ${framing}: ${error}`);
    }
  }
  agent.destroy();
}

main();
