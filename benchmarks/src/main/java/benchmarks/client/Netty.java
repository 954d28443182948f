package benchmarks.client;

import benchmarks.Answers;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpVersion;

/** Netty with its native epoll transport, HttpClientCodec and aggregator, and one event loop. */
public final class Netty {

    private Netty() {
    }

    public static void main(String[] args) throws Exception {
        var bootstrap = new Bootstrap().group(new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory()))
            .channel(EpollSocketChannel.class)
            .handler(new ChannelInitializer<SocketChannel>() {
                @Override
                protected void initChannel(SocketChannel channel) {
                    channel.pipeline().addLast(new HttpClientCodec(), new HttpObjectAggregator(1 << 20), new Handler());
                }
            });
        Channel[] channels = new Channel[ClosedLoop.connections(args)];
        for (int i = 0; i < channels.length; i++) {
            channels[i] = bootstrap.connect("127.0.0.1", ClosedLoop.port(args)).sync().channel();
        }
        Answers.ready(new ClosedLoop(channels.length, (connection, done) -> send(channels[connection], done)));
    }

    private static void send(Channel channel, ClosedLoop.Response done) {
        channel.pipeline().get(Handler.class).done = done;
        var request = new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.GET, "/", Unpooled.EMPTY_BUFFER);
        request.headers().set(HttpHeaderNames.HOST, "127.0.0.1");
        channel.writeAndFlush(request, channel.voidPromise());
    }

    private static final class Handler extends SimpleChannelInboundHandler<FullHttpResponse> {

        private volatile ClosedLoop.Response done;

        @Override
        protected void channelRead0(ChannelHandlerContext context, FullHttpResponse response) {
            done.received(response.status().code(), response.content().readableBytes());
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            ClosedLoop.failed(cause);
        }
    }
}
