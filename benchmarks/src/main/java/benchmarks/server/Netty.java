package benchmarks.server;

import benchmarks.Answers;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.DefaultFileRegion;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.AsciiString;
import java.io.File;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.concurrent.TimeUnit;

/** Netty with its native epoll transport, HttpServerCodec and aggregator; constant headers, a cached date, flushes at the end of a read. */
public final class Netty {

    private static final AsciiString PLAIN = AsciiString.cached("text/plain");
    private static final ByteBuf HELLO = Unpooled.unreleasableBuffer(Unpooled.directBuffer().writeBytes(Replies.HELLO).asReadOnly());
    private static final ByteBuf MEBIBYTE = Unpooled.unreleasableBuffer(Unpooled.directBuffer().writeBytes(Replies.MEBIBYTE).asReadOnly());
    private static final ByteBuf CHUNK = Unpooled.unreleasableBuffer(Unpooled.directBuffer().writeBytes(Replies.CHUNK).asReadOnly());

    private static volatile AsciiString date;

    private Netty() {
    }

    private static void tick() {
        date = new AsciiString(DateTimeFormatter.RFC_1123_DATE_TIME.format(ZonedDateTime.now(ZoneOffset.UTC)));
    }

    public static void main(String[] args) throws Exception {
        var group = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
        tick();
        group.scheduleAtFixedRate(Netty::tick, 1, 1, TimeUnit.SECONDS);
        File file = Replies.file(args).toFile();
        new ServerBootstrap().group(group).channel(EpollServerSocketChannel.class)
            .option(ChannelOption.SO_BACKLOG, 1024)
            .childHandler(new ChannelInitializer<SocketChannel>() {
                @Override
                protected void initChannel(SocketChannel channel) {
                    channel.pipeline().addLast(new HttpServerCodec(), new HttpObjectAggregator(1 << 20), new Handler(file));
                }
            })
            .bind("127.0.0.1", Replies.port(args)).sync();
        Answers.ready();
    }

    private static final class Handler extends SimpleChannelInboundHandler<FullHttpRequest> {

        private final File file;

        Handler(File file) {
            this.file = file;
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
            boolean keepAlive = HttpUtil.isKeepAlive(request);
            switch (request.uri()) {
                case "/" -> full(context, keepAlive, HELLO.duplicate());
                case "/header" -> full(context, keepAlive,
                    ByteBufUtil.writeAscii(context.alloc(), request.headers().get(Replies.HEADER)));
                case "/echo" -> full(context, keepAlive, request.content().retain());
                case "/mib" -> full(context, keepAlive, MEBIBYTE.duplicate());
                case "/stream" -> stream(context, keepAlive);
                default -> file(context, keepAlive);
            }
        }

        private static <R extends HttpResponse> R head(R response, boolean keepAlive) {
            response.headers().set(HttpHeaderNames.CONTENT_TYPE, PLAIN).set(HttpHeaderNames.DATE, date);
            if (!keepAlive) {
                response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
            }
            return response;
        }

        private static void end(ChannelHandlerContext context, boolean keepAlive, Object last) {
            if (keepAlive) {
                context.write(last, context.voidPromise());
            } else {
                context.write(last).addListener(ChannelFutureListener.CLOSE);
            }
        }

        private static void full(ChannelHandlerContext context, boolean keepAlive, ByteBuf body) {
            var factory = DefaultHttpHeadersFactory.headersFactory().withValidation(false);
            var response = head(new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK, body, factory, factory), keepAlive);
            response.headers().setInt(HttpHeaderNames.CONTENT_LENGTH, body.readableBytes());
            end(context, keepAlive, response);
        }

        private static void stream(ChannelHandlerContext context, boolean keepAlive) {
            var response = head(new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK), keepAlive);
            HttpUtil.setTransferEncodingChunked(response, true);
            context.write(response);
            send(context, keepAlive, Replies.CHUNKS);
        }

        private static void send(ChannelHandlerContext context, boolean keepAlive, int left) {
            if (left == 0) {
                end(context, keepAlive, LastHttpContent.EMPTY_LAST_CONTENT);
                context.flush();
            } else {
                context.writeAndFlush(new DefaultHttpContent(CHUNK.duplicate())).addListener(sent -> send(context, keepAlive, left - 1));
            }
        }

        private void file(ChannelHandlerContext context, boolean keepAlive) {
            var response = head(new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK), keepAlive);
            HttpUtil.setContentLength(response, file.length());
            context.write(response);
            context.write(new DefaultFileRegion(file, 0, file.length()));
            end(context, keepAlive, LastHttpContent.EMPTY_LAST_CONTENT);
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            context.flush();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close();
        }
    }
}
