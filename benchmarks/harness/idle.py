"""Connections that have had one reply and wait, in a process of their own, for one that has few descriptors. idle.py PORT COUNT"""
import socket
import sys


def main():
    connections = []
    for _ in range(int(sys.argv[2])):
        connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=30)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        if not connection.recv(4096).startswith(b"HTTP/1.1 200"):
            sys.exit("no reply")
        connections.append(connection)
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
